"""A piece of training that was stopped goes on from its last chapter and ends with the bytes of one that was not:
python3 train/piece_check.py

Also: what fixtures of the layout say is what their command gives, and a voice that is played faster or slower keeps its
high parts. Says what does not hold and exits with 1.
"""

import argparse
import json
import os
import sys
import tempfile

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import paths
from data.augment import resampled
from fixture_cases import cut_replies, tool_calls

STEPS, UNTIL, CHAPTER = 12, 10, 4
SPEEDS, TONE_HZ, RATE = (84, 90, 96, 105, 110, 115, 120), 4500, 16000


def piece(folder, stop=None):
    """Weights after a piece of a small module, which stops within step `stop` and is begun again where that is
    said."""
    from stages import averaged

    paths.CACHE = folder
    args = argparse.Namespace(
        steps=STEPS, until=UNTIL, chapter=CHAPTER, minutes=1, wall=False, rate=1e-2, threads=1, seed=3
    )
    for stopped in (stop, None) if stop else (None,):
        torch.manual_seed(1)
        module, other = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
        judge = torch.optim.AdamW(other.parameters(), lr=1e-2)
        run = averaged.Averaged("piece", args, {"module": module}, kept={"other": other, "judge": judge})
        for step in run:
            if run.turns():
                rng = np.random.default_rng(run.seed())
            if step == stopped:
                break
            x = torch.from_numpy(rng.normal(size=(8, 4)).astype(np.float32)) + torch.randn(8, 4)
            judge.zero_grad()
            (other(x) - module(x).detach()).square().mean().backward()
            judge.step()
            run.update((module(x) - other(x).detach()).square().mean() + module.weight.square().mean())
    state = torch.load(paths.cache("piece.pt"), weights_only=False)
    assert state["step"] == UNTIL, state["step"]
    return b"".join(value.numpy().tobytes() for value in state["modules"]["module"].values())


def goes_on():
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        return piece(one) == piece(two, stop=6)


def same_fixture(cases, name):
    with tempfile.TemporaryDirectory() as folder:
        cases.write(folder)
        with (
            open(os.path.join(folder, "case.json")) as made,
            open(os.path.join(paths.ROOT, "test", "fixtures", name, "case.json")) as kept,
        ):
            return json.load(made) == json.load(kept)


def keeps_high_parts():
    tone = np.sin(2 * np.pi * TONE_HZ * np.arange(RATE) / RATE).astype(np.float32)
    loud = [np.sqrt((resampled(tone, speed, 100)[500:-500] ** 2).mean() * 2) for speed in SPEEDS]
    return min(loud) > 0.9


def main():
    torch.set_num_threads(1)
    held = {
        "a stopped piece ends with the bytes of one that was not": goes_on(),
        "tool-calls is what its command gives": same_fixture(tool_calls, "tool-calls/conversations"),
        "cut-replies is what its command gives": same_fixture(cut_replies, "cut-replies/recitations"),
        "a voice played faster or slower keeps its high parts": keeps_high_parts(),
    }
    for what, holds in held.items():
        print(f"{'ok' if holds else 'NOT'}: {what}")
    sys.exit(0 if all(held.values()) else 1)


if __name__ == "__main__":
    main()
