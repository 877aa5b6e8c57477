"""Converts the side files of an official release to our layout: python3 train/convert_official.py RELEASE TARGET

Every `.pt` becomes a `.safetensors` with the same tensor names; the Kaldi text of `audio/global_cmvn`, a `.npy` of codec
statistics and the codec's YAML become JSON. The backbone's own safetensors and JSON files are linked as they are. Only
tensors are unpickled: a `.pt` that needs any other class is refused.
"""
import argparse
import json
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reference import safetensors

WRAPPERS = ("state_dict", "model", "module")


def tensors(path):
    state = torch.load(path, map_location="cpu", weights_only=True)
    for key in WRAPPERS:
        if isinstance(state.get(key), dict):
            state = state[key]
    return {name: t.float() if t.dtype == torch.float64 else t for name, t in state.items() if torch.is_tensor(t)}


def kaldi_matrix(path):
    """`[ rows ]` of numbers, one row a line."""
    with open(path) as file:
        text = file.read().replace("[", " ").replace("]", " ")
    return [[float(v) for v in line.split()] for line in text.splitlines() if line.split()]


def convert(source, target):
    """-> what was done, or None where the file is left out."""
    stem, kind = os.path.splitext(target)
    name = os.path.basename(source)
    if kind in (".pt", ".pth", ".ckpt"):
        found = tensors(source)
        safetensors.save(stem + ".safetensors", found, {"format": "pt"})
        return f"{len(found)} tensors"
    if name.startswith("global_cmvn") and kind != ".json":
        return write_json(target + ".json", {"stats": kaldi_matrix(source)})
    if kind == ".npy":
        return write_json(stem.rsplit(os.sep, 1)[0] + "/encoder_cmvn.json", {"stats": np.load(source).tolist()})
    if kind in (".yaml", ".yml"):
        import yaml
        with open(source) as file:
            return write_json(stem + ".json", yaml.safe_load(file))
    if kind in (".json", ".safetensors"):
        os.symlink(os.path.abspath(source), target)
        return "linked"
    return None


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
    return "json"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release")
    parser.add_argument("target")
    args = parser.parse_args()
    for at, _, files in os.walk(args.release):
        for file in sorted(files):
            source = os.path.join(at, file)
            target = os.path.join(args.target, os.path.relpath(source, args.release))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            print(f"{os.path.relpath(source, args.release)}: {convert(source, target) or 'left out'}")


if __name__ == "__main__":
    main()
