"""Writes what the stages left as a model directory (spec 11): python3 train/export.py [--to models/nano]

The latest language-model stage that exists is taken: polish, listen, see, speech, text.
"""

import argparse
import json
import os
import shutil
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nano
from domain.corpus import heard_words
from domain.tools import TEMPLATE
from paths import MODEL, cache
from reference import safetensors

LANGUAGE_STAGES = ("polish", "shipped", "listen", "see", "speech", "text")


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")


def modules_of(stage):
    return torch.load(cache(f"{stage}.pt"), map_location="cpu", weights_only=False)["modules"]


def first_with(part, stages):
    for stage in stages:
        if os.path.exists(cache(f"{stage}.pt")):
            state = modules_of(stage)
            if part in state:
                return state[part], stage
    raise SystemExit(f"no stage of {stages} has left '{part}' in the training cache")


def tokenizer_state():
    """The taught waveform encoder where there is one, else the untaught one with the fitted quantiser."""
    if os.path.exists(cache("codec_acoustics.pt")):
        return modules_of("codec_acoustics")["encoder"]
    state = modules_of("codec_tokenizer")["encoder"]
    fitted = torch.load(cache("acoustics.pt"), weights_only=False)["quantizer"]
    return {**state, **{"acoustic_quantizer." + name: value for name, value in fitted.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", default=MODEL)
    to = parser.parse_args().to
    path = lambda name: os.path.join(to, name)
    for folder in ("audio", "vision", "audio_codec"):
        os.makedirs(path(folder), exist_ok=True)

    def write(name, state, keep_float=()):
        half = {
            k: v if v.dtype != torch.float32 or any(f in k for f in keep_float) else v.bfloat16()
            for k, v in state.items()
        }
        safetensors.save(path(name), half, {"format": "pt"})

    def write_exact(name, state):
        safetensors.save(path(name), state, {"format": "pt"})

    lm, stage = first_with("lm", LANGUAGE_STAGES)
    print("language model from stage", stage)
    write_json(path("config.json"), {**nano.LANGUAGE_MODEL, "torch_dtype": "bfloat16"})
    write("model.safetensors", lm, keep_float=("e_score_correction_bias",))
    shutil.copyfile(cache("tokenizer.json"), path("tokenizer.json"))
    write_json(path("template.json"), TEMPLATE)
    write("audio/audio_embeddings.safetensors", first_with("audio", LANGUAGE_STAGES)[0])
    write("audio/audio_output_layers.safetensors", first_with("heads", LANGUAGE_STAGES)[0])

    words = heard_words()
    write_json(path("audio/config.json"), {**nano.audio_config(words), "ctc_words": words})
    write_json(path("audio/preprocessor_config.json"), nano.PREPROCESSOR)
    write_json(path("audio/global_cmvn.json"), {"stats": np.load(cache("audio_cmvn.npz"))["stats"].tolist()})
    write("audio/audio_encoder.safetensors", modules_of("audio_encoder")["encoder"])
    write("audio/audio_projector.safetensors", first_with("projector", LANGUAGE_STAGES)[0])

    write_json(path("vision/config.json"), {**nano.VISION, "object_head": "object_head.safetensors"})
    write_exact("vision/object_head.safetensors", modules_of("vision")["probe"])
    write_exact("vision/vision_model.safetensors", first_with("vision", ("vision",))[0])
    write("vision/vision_projector.safetensors", first_with("vision_projector", (*LANGUAGE_STAGES, "vision"))[0])

    write_json(path("audio_codec/config.json"), nano.CODEC)
    write_json(path("audio_codec/encoder_cmvn.json"), {"stats": np.load(cache("codec_cmvn.npz"))["stats"].tolist()})
    write("audio_codec/encoder.safetensors", tokenizer_state())
    write_exact("audio_codec/decoder.safetensors", modules_of("codec_decoder")["decoder"])
    size = sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(to) for f in files)
    print(f"{to}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
