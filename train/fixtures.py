"""Writes the parity fixtures: python3 train/fixtures.py [component ...]. Seeded; the same versions give the same
bytes."""

import importlib
import os
import shutil
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "fixtures")
COMPONENTS = (
    "language-model",
    "fbank",
    "audio-encoder",
    "gan-decoder",
    "vision-encoder",
    "speech-tokenizer",
    "cut-replies",
    "tool-calls",
)
LARGEST_CASE = 300_000


def main(names):
    torch.set_num_threads(1)
    for component in names or COMPONENTS:
        module = importlib.import_module("fixture_cases." + component.replace("-", "_"))
        for name, write in module.cases().items():
            folder = os.path.join(ROOT, component, name)
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            write(folder)
            size = sum(os.path.getsize(os.path.join(at, f)) for at, _, files in os.walk(folder) for f in files)
            assert size <= LARGEST_CASE, f"{component}/{name} takes {size} bytes"
            print(f"{component}/{name}: {size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
