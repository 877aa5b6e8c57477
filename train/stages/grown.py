"""An ear goes on learning with other words or more layers: its checkpoint is fitted to those of today."""

import json
import os

import torch

import nano
from domain.corpus import heard_words
from nano import BLANK
from paths import MODEL, cache
from reference.audio_encoder import AudioEncoder


def adopt(words):
    """Fits the checkpoint to `words` and to the layers of today."""
    if os.path.exists(cache("audio_encoder.pt")):
        kept = os.path.exists(cache("audio_words.json"))
        with open(cache("audio_words.json") if kept else os.path.join(MODEL, "audio", "config.json")) as file:
            old = json.load(file) if kept else json.load(file)["ctc_words"]
        weights = torch.load(cache("audio_encoder.pt"), map_location="cpu", weights_only=False)["modules"]["encoder"]
        layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("fsmn_layers."))
        if (old, layers) != (words, nano.AUDIO["nlayer"]):
            weights = deepened({name: w.float() for name, w in weights.items()}, layers)
            start_again({**weights, **widened(weights, old, words)})
    with open(cache("audio_words.json"), "w") as file:
        json.dump(words, file)


def start_again(weights):
    torch.save(
        {"modules": {"encoder": weights}, "optimiser": None, "step": 0, "minutes": 0.0, "random": None},
        cache("audio_encoder.pt.new"),
    )
    os.replace(cache("audio_encoder.pt.new"), cache("audio_encoder.pt"))


def deepened(weights, layers):
    """New layers stand before those that look ahead and begin by passing on what they are given."""
    count, more = nano.AUDIO["nlayer"], nano.AUDIO["nlayer"] - layers
    ahead = layers - nano.AUDIO["num_right_layers"]
    fresh = AudioEncoder(nano.audio_config(heard_words())).fsmn_layers
    moved = lambda name, i: f"fsmn_layers.{i + more if i >= ahead else i}.{name}"
    out = {name: w for name, w in weights.items() if not name.startswith("fsmn_layers.")}
    out.update(
        {
            moved(name.split(".", 2)[2], int(name.split(".")[1])): w
            for name, w in weights.items()
            if name.startswith("fsmn_layers.")
        }
    )
    for i in range(ahead, ahead + more):
        for name, w in fresh[i].state_dict().items():
            silent = name == "memory.weight" or name.startswith("ffn.3")
            out[f"fsmn_layers.{i}.{name}"] = torch.zeros_like(w) if silent else w
    print(f"{layers} layers known of {count}", flush=True)
    return out


def widened(weights, old, words):
    """The output layer: known words keep their rows, new ones begin near the mean."""
    encoder = AudioEncoder(nano.audio_config(words))
    rows = {w: i + 1 for i, w in enumerate(old)}
    kept = [(i + 1, rows[w]) for i, w in enumerate(words) if w in rows] + [(BLANK, BLANK)]
    here, there = (list(x) for x in zip(*kept))
    usual = {name: weights[f"output.{name}"][1:].mean(0) for name in ("weight", "bias")}
    weight = usual["weight"] + encoder.output.weight.detach() * 0.1  # a new word is as unlikely as any other
    bias = usual["bias"] + torch.zeros(len(weight))
    weight[here], bias[here] = weights["output.weight"][there], weights["output.bias"][there]
    print(f"{len(kept) - 1} of {len(words)} words known", flush=True)
    return {"output.weight": weight, "output.bias": bias}
