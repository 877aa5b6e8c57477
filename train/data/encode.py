"""Turns every answer into codes with the trained tokenizer, and says how the codes are used: python3
train/data/encode.py"""

import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from paths import cache
from reference.codec_encoder import CodecEncoder
from stages.runner import trained


class Codes:
    """codes[text] -> [frames, 4] values without the id offset."""

    def __init__(self):
        data = np.load(cache("codes.npz"))
        self.data, self.offsets = data["data"], data["offsets"]
        self.texts = [str(t) for t in data["texts"]]
        self.at = {t: i for i, t in enumerate(self.texts)}

    def __call__(self, text):
        i = self.at[text]
        return self.data[self.offsets[i] : self.offsets[i + 1]]


def entropy_bits(values, size):
    p = np.bincount(values, minlength=size) / len(values)
    return float(-(p[p > 0] * np.log2(p[p > 0])).sum())


def main():
    torch.set_num_threads(1)
    answers = np.load(cache("answers.npz"))
    encoder = trained("codec_tokenizer", "encoder", CodecEncoder(nano.CODEC["encoder"]))
    stats = np.load(cache("codec_cmvn.npz"))["stats"]
    rows = []
    for a, b in zip(answers["offsets"], answers["offsets"][1:]):
        samples = torch.from_numpy(answers["data"][a:b].astype(np.float32) / 32767)
        rows.append(encoder(samples[None], stats)[0].numpy())
    data = np.concatenate(rows)
    np.savez(cache("codes.npz"), data=data, offsets=np.cumsum([0] + [len(r) for r in rows]), texts=answers["texts"])
    for j, name in enumerate(("semantic", "first", "second", "third")):
        used = len(np.unique(data[:, j]))
        print(f"{name}: {used} of 256 codes used, {entropy_bits(data[:, j], 256):.2f} bits")


if __name__ == "__main__":
    main()
