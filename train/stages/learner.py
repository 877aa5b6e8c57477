"""The loop of the language-model stages: drawing processes fill batches, the device learns from them.

On CUDA a step (losses, gradients, clipping, optimiser, expert biases) is recorded once as a graph and replayed, since
its thousand small kernels would cost more to launch than to run. On a CPU the same step runs as it is written, and
batches are drawn between.
"""

import ctypes
import multiprocessing
import os
import signal

import numpy as np
import torch

from stages import language
from stages.encoded import Tables
from stages.packed import Packer, Shape

SLOTS_EACH = 3
CLIP = 1.0
BATCH = {"cuda": Shape(16, 1024), "cpu": Shape(6, 320)}  # long rows hold calls


def batch_of(shape, flat):
    return {name: part.long() for name, part in shape.views(flat).items()}


class Drawers:
    """Processes that fill slots of shared memory. `make(seed)` gives a mixture; it runs again in every process on
    `renew()`."""

    def __init__(self, make, shape, count, seed):
        context = multiprocessing.get_context("fork")
        self.shape, self.count = shape, count
        if not count:
            self.packer, self.flat = Packer(shape, make(seed).draw), np.zeros(shape.size, np.int32)
            return
        self.slots = [
            np.frombuffer(context.RawArray(ctypes.c_int32, shape.size), np.int32) for _ in range(SLOTS_EACH * count)
        ]
        self.free, self.ready, self.version = context.Queue(), context.Queue(), context.Value("i", 0)
        for i in range(len(self.slots)):
            self.free.put(i)
        self.processes = [
            context.Process(target=self._work, args=(make, seed * 1000 + i), daemon=True) for i in range(count)
        ]
        for process in self.processes:
            process.start()

    def _work(self, make, seed):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(5)
        torch.set_num_threads(1)
        version, packer = -1, None
        while True:
            i = self.free.get()
            if version != self.version.value:
                version = self.version.value
                packer = Packer(self.shape, make(seed + 100 * version).draw)
            packer.fill(self.slots[i])
            self.ready.put((version, i))

    def renew(self):
        """From now on only batches of mixtures made after this call."""
        with self.version.get_lock():
            self.version.value += 1

    def next(self):
        """-> flat batch (valid until the next call)."""
        if not self.count:
            self.packer.fill(self.flat)
            return self.flat, lambda: None
        while True:
            version, i = self.ready.get()
            if version == self.version.value:
                return self.slots[i], lambda: self.free.put(i)
            self.free.put(i)

    def stop(self):
        for process in getattr(self, "processes", ()):
            process.terminate()


class Learner:
    def __init__(self, run, parts, vocabulary, make, wrong_codes, seed, drawers=0, tables=None):
        self.run, self.parts, self.wrong_codes, self.shape = run, parts, wrong_codes, BATCH[run.device]
        self.drawers = Drawers(make, self.shape, drawers, seed)
        self.vocabulary, self.tables = vocabulary.to(run.device), tables or Tables.empty(run.device)
        self.flat = torch.zeros(self.shape.size, dtype=torch.int32, device=run.device)
        self.bias_rate = torch.ones((), device=run.device)
        self.sums, self.steps, self.shown_at, self.graph = {}, 0, 0, None
        run.collect = self.show
        if run.device == "cuda":
            self._prepare_copies()

    def step(self):
        self.run.set_rate()
        self.bias_rate.fill_(1 - 0.9 * self.run.progress())
        flat, release = self.drawers.next()
        if self.run.device == "cpu":
            self.flat.copy_(torch.from_numpy(flat))
            release()
            self.learn()
        else:
            self._replay(torch.from_numpy(flat), release)
        self.steps += 1

    def learn(self):
        shown = {}
        batch = batch_of(self.shape, self.flat)
        loss = language.losses(self.parts, self.shape, batch, self.vocabulary, self.tables, self.wrong_codes, shown)
        self.run.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.run.parameters, CLIP)
        self.run.optimiser.step()
        shown["identity"] = language.control_experts(self.parts["lm"], self.bias_rate)
        for name, value in shown.items():
            self.sums.setdefault(name, torch.zeros((), device=self.run.device)).add_(value.detach())

    def _prepare_copies(self):
        self.staging = [torch.zeros_like(self.flat) for _ in range(2)]
        self.copied, self.taken = ([torch.cuda.Event() for _ in range(2)] for _ in range(2))
        self.copying, self.release = torch.cuda.Stream(), [None, None]
        for slot in self.drawers.slots:
            torch.cuda.cudart().cudaHostRegister(slot.ctypes.data, slot.nbytes, 0)

    def _replay(self, flat, release):
        """Copies the next batch to the device while it still learns from the one before."""
        turn = self.steps % 2
        self.copied[turn].synchronize()
        if self.release[turn]:
            self.release[turn]()
        with torch.cuda.stream(self.copying):
            self.copying.wait_event(self.taken[turn])
            self.staging[turn].copy_(flat, non_blocking=True)
            self.copied[turn].record()
        self.release[turn] = release
        torch.cuda.current_stream().wait_event(self.copied[turn])
        self.flat.copy_(self.staging[turn])
        self.taken[turn].record()
        if not self.graph:
            self._record()
        self.graph.replay()

    def _record(self):
        warm = torch.cuda.Stream()
        warm.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(warm):
            for _ in range(3):
                self.learn()
        torch.cuda.current_stream().wait_stream(warm)
        self.run.optimiser.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.learn()

    def renew(self, tables):
        """Other tables of the senses: the step is recorded anew, and all batches are drawn anew."""
        if self.run.device == "cuda":
            torch.cuda.synchronize()
        self.tables, self.graph = tables, None
        self.drawers.renew()

    def show(self):
        """Means since the last call."""
        out = (
            {name: float(total) / max(1, self.steps - self.shown_at) for name, total in self.sums.items()}
            if self.sums
            else {}
        )
        for total in self.sums.values():
            total.zero_()
        self.shown_at = self.steps
        return out
