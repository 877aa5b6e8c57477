"""The mean of two checkpoints of one stage: python3 train/mean.py audio_encoder.pt before.pt --share 0.5

Between weights that know other people's voices and weights that learnt new words lie some that do both. `--share` is
that of the first; the mean replaces it, and its optimiser begins anew.
"""

import argparse
import os
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from paths import cache


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", help="a file of the cache")
    parser.add_argument("second", help="another")
    parser.add_argument("--share", type=float, default=0.5)
    args = parser.parse_args()
    states = [torch.load(cache(name), map_location="cpu", weights_only=False) for name in (args.first, args.second)]
    for name, module in states[0]["modules"].items():
        other = states[1]["modules"][name]
        if {k: v.shape for k, v in module.items()} != {k: v.shape for k, v in other.items()}:
            sys.exit(
                f"{name} has other shapes in {args.second}: fit both to today's words first (stages/audio_encoder.py --minutes 0)"
            )
        states[0]["modules"][name] = {
            key: args.share * value + (1 - args.share) * other[key] for key, value in module.items()
        }
    torch.save({**states[0], "optimiser": None}, cache(args.first + ".new"))
    os.replace(cache(args.first + ".new"), cache(args.first))


if __name__ == "__main__":
    main()
