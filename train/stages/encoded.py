"""Real senses for the language-model stages: what the frozen encoders give for recorded questions and rendered views,
in tables.

`write_tables` encodes everything once; `Recorded` draws from it by row numbers; `Tables` holds the rows where the model
learns.

python3 train/stages/encoded.py [--most N] [--takes 2]      writes the tables again, with the newest encoders
"""

import argparse
import ast
from dataclasses import dataclass
import glob
import os
import pickle
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data import lines
from data.energies import energies
from domain.corpus import heard_words
from paths import cache
from reference.audio_encoder import AudioEncoder
from reference.vision import VisionModel
from stages import audio_encoder as ear
from stages.perception import Feature, Imagined
from stages.runner import trained

NOISES = 300
LIKELY = 3  # words kept of what the encoder's word head says of a frame
STILL_BEFORE = 0.3  # of moving scenes: the unit before the turn was a still frame
FRAMES_AT_ONCE, UNITS_AT_ONCE = 160_000, 256  # of 10 ms; of one or two pictures


@dataclass
class Tables:
    """Encoder outputs [rows, width], row 0 empty; for each ear row its likeliest words, for each eye row what covers
    the patches."""

    ear: torch.Tensor
    ear_words: torch.Tensor
    ear_share: torch.Tensor
    eye: torch.Tensor
    eye_labels: torch.Tensor

    @classmethod
    def empty(cls, device):
        zeros = lambda *shape, dtype: torch.zeros(*shape, dtype=dtype, device=device)
        return cls(
            zeros(1, nano.AUDIO["hidden_size"], dtype=torch.half),
            zeros(1, LIKELY, dtype=torch.int16),
            zeros(1, LIKELY, dtype=torch.half),
            zeros(1, 2 * nano.VISION["hidden_size"], dtype=torch.half),
            zeros(1, 4, dtype=torch.int16),
        )

    @classmethod
    def load(cls, device, prefix=""):
        return cls(
            **{
                name: value.to(device)
                for name, value in torch.load(cache(prefix + "tables.pt"), weights_only=False).items()
            }
        )

    def fields(self):
        return dict(vars(self))


def noise(rng):
    return energies(lines.no_speech(rng))


def changes(lengths, take):
    """What is done to recordings of so many frames: nothing to their first take; another speed, tract, noise and level
    to others.

    -> (changes as `ear.augment` reads them, or None; vectors of each recording).
    """
    if take == 0:
        return None, -(-lengths // ear.STRIDE)
    drawn = {
        name: torch.from_numpy(value) for name, value in ear.draw(len(lengths), np.random.default_rng(take)).items()
    }
    drawn["mask_width"][:] = 0  # what cannot be heard cannot be answered
    frames = ear.warped(torch.from_numpy(lengths), drawn["warp"]) - drawn["late"]
    return drawn, (-(-frames // ear.STRIDE)).numpy()


@torch.no_grad()
def hear(data, lengths, device, take=0):
    """Filter banks end to end [frames, 80] -> (encoder outputs [rows, hidden], likeliest words, their shares, rows of
    each item)."""
    encoder = trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(heard_words()))).to(device)
    stats, data = np.load(cache("audio_cmvn.npz"))["stats"], torch.from_numpy(data).to(device)
    begins, (drawn, counts) = np.cumsum([0, *lengths[:-1]]), changes(lengths, take)
    rows, total = np.cumsum([0, *counts[:-1]]), counts.sum()
    out = (
        torch.empty(total, nano.AUDIO["hidden_size"], dtype=torch.half),
        torch.empty(total, LIKELY, dtype=torch.int16),
        torch.empty(total, LIKELY, dtype=torch.half),
    )
    order = np.argsort(lengths)
    while len(order):
        size = max(1, FRAMES_AT_ONCE // int(lengths[order[-1]]))
        order, group = order[:-size], order[-size:]
        length, begin = (torch.from_numpy(x[group]).to(device) for x in (lengths, begins))
        x = data[begin[:, None] + ear.steps(int(length.max()), length)].float()
        late = torch.zeros_like(length)
        if drawn:
            x, late, length = ear.augment(x, length, {name: value[group].to(device) for name, value in drawn.items()})
        inputs, valid, count = ear.vectors(x, late, length, stats)
        hidden = encoder(inputs, valid)
        share, words = encoder.output(hidden).softmax(-1).topk(LIKELY, -1)
        at = torch.from_numpy(np.concatenate([np.arange(rows[i], rows[i] + counts[i]) for i in group]))
        assert count.tolist() == counts[group].tolist()
        for target, value in zip(out, (hidden, words, share)):
            target[at] = value[valid].to("cpu", target.dtype)
    return (*out, counts)


@torch.no_grad()
def see(units, device):
    """Bytes [n, 2, 3, h, w] -> eye rows [n * tokens, 2 * width]."""
    eye = trained("vision", "vision", VisionModel(nano.VISION)).to(device)
    mean, deviation = (
        torch.tensor(nano.VISION[name], device=device)[:, None, None] for name in ("image_mean", "image_std")
    )
    out = []
    for at in range(0, len(units), UNITS_AT_ONCE):
        pixels = torch.from_numpy(units[at : at + UNITS_AT_ONCE]).to(device).float() / 255
        patches = eye((pixels - mean) / deviation)[0]
        out.append(patches.reshape(-1, 2 * patches.shape[-1]).half().cpu())
    return torch.cat(out)


def recordings(files, most):
    """-> (filter banks end to end, frames of each, texts, kinds): the first `most` recordings, and noises under the
    empty text."""
    parts, count, numbers = [], 0, np.random.default_rng(len(files))
    for path in files:
        if count < most:
            with np.load(path) as part:
                parts.append((part["data"], np.diff(part["offsets"]), part["texts"], part["kinds"]))
            count += len(parts[-1][1])
    noises = [noise(numbers) for _ in range(NOISES)]
    parts.append(
        (
            np.concatenate(noises),
            np.array([len(n) for n in noises]),
            np.array([""] * NOISES),
            np.array(["noise"] * NOISES),
        )
    )
    return tuple(np.concatenate(column) for column in zip(*parts))


def table_of_voices(tables, registry, files, most, takes, device):
    data, lengths, texts, kinds = recordings(files, most)
    heard = {name: [tables[name]] for name in ("ear", "ear_words", "ear_share")}
    first = 1
    for take in range(takes):
        *columns, counts = hear(data, lengths, device, take)
        for rows, column in zip(heard.values(), columns):
            rows.append(column)
        begins = first + np.cumsum([0, *counts[:-1]])
        first += counts.sum()
        for text, kind, begin, n in zip(texts.tolist(), kinds.tolist(), begins.tolist(), counts.tolist()):
            registry["voices"].setdefault(text, []).append((begin, n))
            if kind in ("prefix", "salad"):
                registry["kinds"].setdefault(kind, set()).add(text)
    tables.update({name: torch.cat(rows) for name, rows in heard.items()})


def table_of_views(tables, registry, device):
    begin, eye, labels = 1, [tables["eye"]], [tables["eye_labels"]]
    for path in sorted(glob.glob(cache("views-*.npz"))):
        part = np.load(path)
        registry["tokens"] = tokens = part["labels"].shape[1]
        for units, what in (("units", "labels"), ("stills", "still_labels")):
            eye.append(see(part[units], device))
            labels.append(torch.from_numpy(part[what]).flatten(0, 1))
        count = len(part["motions"])
        for i, (scene, motion) in enumerate(zip(part["scenes"], part["motions"])):
            unit = begin + i * tokens
            registry["views"].append((ast.literal_eval(str(scene)), str(motion) or None, unit, unit + count * tokens))
        begin += 2 * count * tokens
    tables["eye"], tables["eye_labels"] = torch.cat(eye), torch.cat(labels)


def question_files():
    return sorted(glob.glob(cache("questions-*.npz")) + glob.glob(cache("salad-*.npz")))


def write_tables(device, files, most=200_000, into="", takes=1):
    """Encodes recordings, each in so many takes, and views; writes `tables.pt` (rows) and `registry.pkl` (what stands
    where), named with `into` before."""
    tables, registry = Tables.empty("cpu").fields(), {"voices": {}, "kinds": {}, "views": [], "tokens": 0}
    table_of_voices(tables, registry, files, most, takes, device)
    table_of_views(tables, registry, device)
    for name, value in (
        ("registry.pkl", registry),
        ("tables.pt", tables),
    ):  # the rows last: a change there is what others look for
        with open(cache(into + name + ".new"), "wb") as file:
            torch.save(value, file) if name == "tables.pt" else pickle.dump(value, file)
        os.replace(cache(into + name + ".new"), cache(into + name))
    print(
        f"tables: {sum(map(len, registry['voices'].values()))} recordings, {len(registry['views'])} views", flush=True
    )


class Recorded(Imagined):
    """Encoders where there are recordings and pictures, imagination for the rest."""

    def __init__(self, vocabulary, prefix=""):
        super().__init__(vocabulary)
        with open(cache(prefix + "registry.pkl"), "rb") as file:
            registry = pickle.load(file)
        self.voices, self.views, self.tokens = registry["voices"], registry["views"], registry["tokens"]
        self.starts, self.salads = (sorted(registry["kinds"].get(kind, ())) for kind in ("prefix", "salad"))
        self.starts = [t for t in self.starts if t in self.voices]
        self.salads = [t for t in self.salads if t in self.voices]
        self.where = {}
        for i, (scene, motion, *_) in enumerate(self.views):
            self.where.setdefault((scene, motion), []).append(i)

    def voice(self, question, rng):
        takes = self.voices.get(question)
        if not takes:
            return super().voice(question, rng)
        begin, n = rng.choice(takes)
        return Feature("ear", np.arange(begin, begin + n))

    def scene(self, rng):
        return rng.choice(self.views)[:2] if self.views else super().scene(rng)

    def units(self, scene, motion, rng, count=1):
        known = self.where.get((scene, motion))
        if not known:
            return super().units(scene, motion, rng, count)
        _, _, unit, still = self.views[rng.choice(known)]
        starts = [still if i == 0 and count > 1 and rng.random() < STILL_BEFORE else unit for i in range(count)]
        return [Feature("eye", np.arange(at, at + self.tokens)) for at in starts]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=200_000, help="recordings encoded")
    parser.add_argument(
        "--takes", type=int, default=1, help="of each recording: as it is, then at other speeds, with other noise"
    )
    args = parser.parse_args()
    write_tables("cuda" if torch.cuda.is_available() else "cpu", question_files(), args.most, takes=args.takes)


if __name__ == "__main__":
    main()
