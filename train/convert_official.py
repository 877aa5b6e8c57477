"""Converts the side files of an official release to our layout: python3 train/convert_official.py RELEASE TARGET

Every `.pt` becomes a `.safetensors` with the same tensor names and types (fp8 too); the Kaldi text of
`audio/global_cmvn`, a `.npy` of codec statistics and the codec's YAML become JSON. The codec's checkpoints are found by
the YAML's `ckpt_path` and get the names that our layout has for them (docs/spec/model.md §11); one that is named and
not there is an error. The backbone's own safetensors and JSON files are linked as they are. Only tensors are unpickled:
a `.pt` that needs any other class is refused. PyTorch is not needed, and no more than a few MiB of a tensor are in
memory at a time. A second run over the same target replaces what the first one made.
"""

import argparse
import json
import os
import sys
from zipfile import BadZipFile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from torch_file import Refused, Tensor, TorchFile, write_safetensors

WRAPPERS = ("state_dict", "model", "module")
CHECKPOINTS = (".pt", ".pth", ".ckpt", ".bin")
# Where the codec's YAML names a checkpoint, and how it is called in our layout.
CODEC_CHECKPOINTS = ((("codec_config",), "decoder.safetensors"), (("encoder", "codec_config"), "encoder.safetensors"))


def tensors(file):
    state = file.state
    for key in WRAPPERS:
        if isinstance(state.get(key), dict):
            state = state[key]
    return {name: tensor for name, tensor in state.items() if isinstance(tensor, Tensor)}


def kaldi_matrix(path):
    """`[ rows ]` of numbers, one row a line."""
    with open(path) as file:
        text = file.read().replace("[", " ").replace("]", " ")
    return [[float(v) for v in line.split()] for line in text.splitlines() if line.split()]


def convert(source, target):
    """-> what was done, or None where the file is left out."""
    stem, kind = os.path.splitext(target)
    name = os.path.basename(source)
    if kind in CHECKPOINTS:
        return write_tensors(stem + ".safetensors", source)
    if name.startswith("global_cmvn") and kind != ".json":
        return write_json(target + ".json", {"stats": kaldi_matrix(source)})
    if kind == ".npy":
        import numpy

        return write_json(
            os.path.join(os.path.dirname(target), "encoder_cmvn.json"), {"stats": numpy.load(source).tolist()}
        )
    if kind in (".json", ".safetensors"):
        return link(source, target)
    return None


def codec(source, target):
    """The codec's YAML, and the checkpoints it names. -> (what was done, sources that are done with, what is
    missing)"""
    import yaml

    with open(source) as file:
        config = yaml.safe_load(file)
    used, missing, found = set(), [], []
    for keys, ours in CODEC_CHECKPOINTS:
        section = config
        for key in keys:
            section = section.get(key) if isinstance(section, dict) else None
        if not isinstance(section, dict):
            found.append(f"no {ours[:7]}")
            continue
        named = section.get("ckpt_path") or ours
        section["ckpt_path"] = ours
        checkpoint = find_checkpoint(os.path.dirname(source), named)
        if checkpoint is None:
            missing.append(f"{named} ({'.'.join(keys)}.ckpt_path)")
            continue
        place = os.path.join(os.path.dirname(target), ours)
        if checkpoint.endswith(".safetensors"):
            link(checkpoint, place)
        else:
            write_tensors(place, checkpoint)
        used.add(os.path.abspath(checkpoint))
        found.append(f"{os.path.basename(checkpoint)} as {ours}")
    write_json(os.path.splitext(target)[0] + ".json", config)
    return ", ".join(["json", *found]), used, missing


def find_checkpoint(folder, named):
    """`ckpt_path` is relative to the release, to its own folder or to some other machine's: the name decides in the
    end."""
    for path in (os.path.join(folder, named), os.path.join(folder, os.path.basename(named))):
        for candidate in (path, os.path.splitext(path)[0] + ".safetensors"):
            if os.path.isfile(candidate):
                return candidate
    for at, _, files in os.walk(folder):
        if os.path.basename(named) in files:
            return os.path.join(at, os.path.basename(named))
    return None


def write_tensors(path, source):
    try:
        file = TorchFile(source)
        found = tensors(file)
        fresh(path)
        write_safetensors(path, file, found, {"format": "pt"})
    except (BadZipFile, Refused) as error:
        fresh(path)
        sys.exit(f"{source}: {error}. Save it anew with PyTorch 1.6 or later, its tensors alone.")
    return f"{len(found)} tensors"


def write_json(path, value):
    fresh(path)
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
    return "json"


def link(source, target):
    fresh(target)
    os.symlink(os.path.abspath(source), target)
    return "linked"


def fresh(path):
    """Nothing of an earlier run stays; a link is removed, never written through."""
    if os.path.lexists(path):
        os.remove(path)


def convert_all(release, target):
    """-> what was named and not there"""
    done, missing = set(), []
    places = [(at, file) for at, _, files in os.walk(release) for file in sorted(files)]
    # The codec's YAML first: it says which checkpoints are whose.
    places.sort(key=lambda place: os.path.splitext(place[1])[1] not in (".yaml", ".yml"))
    for at, file in places:
        source = os.path.join(at, file)
        if os.path.abspath(source) in done:
            continue
        place = os.path.join(target, os.path.relpath(source, release))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if os.path.splitext(file)[1] in (".yaml", ".yml"):
            what, used, gone = codec(source, place)
            done |= used
            missing += gone
        else:
            what = convert(source, place)
        print(f"{os.path.relpath(source, release)}: {what or 'left out'}")
    return missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release")
    parser.add_argument("target")
    args = parser.parse_args()
    if os.path.realpath(args.release) == os.path.realpath(args.target):
        sys.exit("The target must be another directory than the release.")
    missing = convert_all(args.release, args.target)
    if missing:
        sys.exit("Named in the codec's YAML, but not in the release: " + "; ".join(missing))


if __name__ == "__main__":
    main()
