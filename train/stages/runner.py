"""The loop all stages share: pieces of so many CPU minutes, a cosine rate that ends low, checkpoints, resumption, a
loss log."""

import argparse
import csv
import ctypes
import math
import os
import random
import time

import numpy as np
import torch

from paths import cache

# glibc gives large blocks back to the system at once; asking for them anew every step costs a third of the time.
# Its limit for what it maps afresh is 32 MB at most, which long rows exceed, so it maps nothing.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
for _option, _value in ((M_TRIM_THRESHOLD, 1 << 30), (M_MMAP_MAX, 0)):
    ctypes.CDLL(None).mallopt(_option, _value)

CHECKPOINT_SECONDS = 300
# A piece of so many steps is saved after every chapter, and each chapter draws from its own seed: a piece that was
# stopped goes on from its last chapter and ends with the same weights, to the bit.
CHAPTER_STEPS = 50
LOG_SECONDS = 15
WARM_UP, WARM_STEPS = (
    0.03,
    24,
)  # share of a piece, and at least so many steps: Adam begins with steps of one size for all weights


def arguments(description, minutes, rate):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--minutes", type=float, default=minutes, help="length of this piece in CPU minutes (CUDA: the same)"
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=0,
        help="length of this piece in steps instead: the same weights on every machine of a kind",
    )
    parser.add_argument(
        "--until", type=int, default=0, help="end after so many of the --steps, with the rate that they have come to"
    )
    parser.add_argument("--chapter", type=int, default=CHAPTER_STEPS, help="steps between two checkpoints, of --steps")
    parser.add_argument("--wall", action="store_true", help="count wall-clock minutes instead, to end at a given time")
    parser.add_argument("--rate", type=float, default=rate, help="peak learning rate of this piece")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser


class Run:
    """Iterating gives step numbers until the minutes are over; `update` takes the step's loss.

    modules: name -> module, saved under these names in `<stage>.pt`. A checkpoint of the same stage is resumed.
    kept: name -> what else a piece needs to go on, with a `state_dict`.
    """

    def __init__(self, stage, args, modules, weight_decay=0.01, betas=(0.9, 0.98), kept=None):
        torch.set_num_threads(args.threads)
        torch.set_float32_matmul_precision("high")  # TF32 where there is CUDA
        self.stage, self.args, self.modules, self.kept = stage, args, modules, kept or {}
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        for module in modules.values():
            module.to(self.device).train()
        self.parameters = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
        recorded = {"capturable": True} if self.device == "cuda" else {}  # so that a CUDA graph may hold the step
        self.rate_now = torch.tensor(args.rate, device=self.device)
        self.optimiser = torch.optim.AdamW(
            self.parameters,
            lr=self.rate_now if recorded else args.rate,
            weight_decay=weight_decay,
            betas=betas,
            **recorded,
        )
        self.step, self.first, self.minutes_before, self.sums = 0, None, 0.0, {}
        self.haste, self.warm_from, self.warm_steps = (
            1,
            0,
            WARM_STEPS,
        )  # times the rate; where the warm-up begins, and its length
        self.collect = dict  # -> figures kept elsewhere, asked for when it is time to log
        self.resumed = self._resume()
        if not self.resumed:
            seed_all(args.seed)

    def __iter__(self):
        self.saved = self.logged = time.time()
        self.begin = self.now()
        self.first, self.began = self.step if self.first is None else self.first, self.step
        while not self.over():
            if self.turns():
                seed_all(self.seed())
            yield self.step
            self.step += 1
            now = time.time()
            if now - self.logged > LOG_SECONDS:
                self._log()
            if self.turns() if self.args.steps else now - self.saved > CHECKPOINT_SECONDS:
                self.save()
        self._log()
        self.save()

    def turns(self):
        """Whether a chapter begins: all that is drawn is drawn anew, by `seed`."""
        whole = self.args.steps > 0 and (self.step - self.first) % self.args.chapter == 0
        return whole or self.step == self.began

    def seed(self):
        return self.args.seed + self.step

    def over(self):
        return self.progress() >= 1 or 0 < self.args.until <= self.step - self.first

    def elapsed(self):
        """Processor minutes, so that a crowded machine makes a piece longer, not worse."""
        return (self.now() - self.begin) / 60

    def now(self):
        return time.time() if self.args.wall else time.process_time()

    def progress(self):
        """0 at the start of this piece, 1 at its end."""
        if self.args.steps:
            return min(1.0, (self.step - self.first) / self.args.steps)
        return min(1.0, self.elapsed() / self.args.minutes) if self.args.minutes > 0 else 1.0

    def rate(self):
        at = self.progress()
        ramp = min(1.0, at / WARM_UP, (self.step - self.first + 1 - self.warm_from) / self.warm_steps)
        return self.args.rate * self.haste * ramp * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * at)))

    def set_rate(self):
        self.rate_now.fill_(self.rate())
        if self.device == "cpu":
            for group in self.optimiser.param_groups:
                group["lr"] = float(self.rate_now)

    def update(self, loss, **shown):
        self.set_rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        if torch.isfinite(norm):
            self.optimiser.step()
        self.show(loss=loss, **shown)

    def show(self, **values):
        for name, value in values.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + float(value), count + 1)

    def total_minutes(self):
        return self.minutes_before + self.elapsed()

    def _log(self):
        self.logged = time.time()
        self.show(**self.collect())
        path = cache(f"{self.stage}.csv")
        new = not os.path.exists(path)
        means = {name: total / count for name, (total, count) in self.sums.items()}
        with open(path, "a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["minutes", "step", "name", "value"])
            for name, value in means.items():
                writer.writerow([f"{self.total_minutes():.3f}", self.step, name, f"{value:.6g}"])
        line = " ".join(f"{name} {value:.4g}" for name, value in means.items())
        print(f"{self.stage} {self.total_minutes():.1f} min step {self.step}: {line}", flush=True)
        self.sums = {}

    def save(self):
        self.saved = time.time()
        torch.save(self._state(), cache(f"{self.stage}.pt.new"))
        os.replace(cache(f"{self.stage}.pt.new"), cache(f"{self.stage}.pt"))

    def _state(self):
        return {
            "modules": {n: m.state_dict() for n, m in self.modules.items()},
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "first": self.first,
            "minutes": self.total_minutes(),
            "random": (random.getstate(), np.random.get_state(), torch.get_rng_state()),
            "kept": {n: m.state_dict() for n, m in self.kept.items()},
        }

    def _go_on(self, state):
        """Takes up what a piece needs of its last chapter besides weights and optimiser."""
        for name, value in self.kept.items():
            value.load_state_dict(state["kept"][name])

    def _resume(self):
        if not os.path.exists(cache(f"{self.stage}.pt")):
            return False
        state = torch.load(cache(f"{self.stage}.pt"), map_location=self.device, weights_only=False)
        for name, module in self.modules.items():
            if name in state["modules"]:  # a part may be younger than the checkpoint
                module.load_state_dict(state["modules"][name])
        self.step, self.minutes_before = state["step"], state["minutes"]
        if state["optimiser"] is None:  # weights alone, from `restore.py`
            return False
        most = self.args.until or self.args.steps
        if self.args.steps and state.get("first") is not None and self.step < state["first"] + most:
            self.first = state["first"]  # it was stopped within a piece of so many steps
            self._go_on(state)
        self.optimiser.load_state_dict(state["optimiser"])
        if self.device == "cuda":
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate_now
        random.setstate(state["random"][0])
        np.random.set_state(state["random"][1])
        torch.set_rng_state(state["random"][2].cpu())
        return True


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def trained(stage, name, module):
    """Loads what an earlier stage left under `name` into `module`; returns the module, in evaluation mode."""
    state = torch.load(cache(f"{stage}.pt"), map_location="cpu", weights_only=False)
    module.load_state_dict(state["modules"][name])
    return module.eval()
