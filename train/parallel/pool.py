"""Ranks as processes of this machine, one thread each, connected by gloo. A pool runs many jobs one after the other."""

import os
import signal
import sys
import tempfile
import threading
import traceback
from multiprocessing import get_context

import torch
import torch.distributed as dist

from .layout import Refused

ANSWER_S = 3600
LEAVE_S = 0.2  # for a death to be seen
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def end_cleanly():
    """SIGTERM, Ctrl-C and a closed terminal end this program by way of what cleans up: no rank is left, and no
    folder."""

    def leave(number, _):
        sys.exit(128 + number)

    for each in ENDINGS:
        if signal.getsignal(each) != signal.SIG_IGN:  # nohup's wish
            signal.signal(each, leave)


def _end_with(parent):
    """Ends this process once nobody holds the other end of `parent`, however that came about: a rank may be waiting for
    others."""
    os.read(parent, 1)
    os._exit(1)


def _bind(rank):
    """Keeps this process, and every thread that it will start, on one processor: ranks in turn over those there are."""
    here = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {here[rank % len(here)]})


def _rank(rank, world, meeting, pipe, parent, held, bound):
    if bound:
        _bind(rank)
    for each in ENDINGS:
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal goes to every process: the pool ends its ranks
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    os.close(held)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    while True:
        job = pipe.recv()
        if job is None:
            break
        function, arguments = job
        try:
            pipe.send(("done", function(rank, **arguments)))
        except (
            Exception
        ) as error:  # whatever it is, it is said where it can be read; the other ranks are stopped by the caller
            pipe.send(("failed", f"rank {rank}: {error!r}\n{traceback.format_exc()}"))
    dist.destroy_process_group()


class Failed(Exception):
    """A rank failed, or died: `died` names those that did."""

    def __init__(self, message, died=()):
        super().__init__(message)
        self.died = died


class Pool:
    def __init__(self, world, bound=False):
        """bound: each rank has one processor that it stays on."""
        if not dist.is_gloo_available():
            raise Refused("this PyTorch was built without gloo")
        if bound and not hasattr(os, "sched_setaffinity"):
            raise Refused("this system does not bind processes to processors")
        context = get_context("fork")  # PyTorch is loaded once
        self.folder = tempfile.TemporaryDirectory(prefix="ranks-")
        meeting = os.path.join(self.folder.name, "meeting")
        sys.stdout.flush()
        self.pipes, self.processes = [], []
        # A signal in the midst of a fork would be lost.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            self._start(context, world, meeting, bound)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except BaseException:
            self.stop()
            raise

    def _start(self, context, world, meeting, bound):
        # Only this process keeps the end `held` open, so that the system closes it when this process ends.
        parent, self.held = os.pipe()
        for rank in range(world):
            ours, theirs = context.Pipe()
            arguments = (rank, world, meeting, theirs, parent, self.held, bound)
            process = context.Process(target=_rank, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
        os.close(parent)

    def run(self, function, ranks=None, **arguments):
        """function(rank, **arguments) on the first `ranks` ranks -> their answers. @raises Failed: one failed or died;
        the pool is closed."""
        pipes = self.pipes[:ranks]
        for pipe in pipes:
            pipe.send((function, arguments))
        answers = []
        for rank, pipe in enumerate(pipes):
            try:
                if not pipe.poll(ANSWER_S):
                    raise Failed(f"rank {rank} did not answer within {ANSWER_S} s")
                kind, answer = pipe.recv()
            except (EOFError, ConnectionResetError):
                kind, answer = "failed", f"rank {rank} died"
            except Failed as error:
                kind, answer = "failed", str(error)
            if kind == "failed":
                raise self._failed(answer)
            answers.append(answer)
        return answers

    def _failed(self, answer):
        """Closes the pool. Where a rank has died, the others' errors are only that they lost it."""
        for process in self.processes:
            process.join(LEAVE_S)
        died = [(rank, p.exitcode) for rank, p in enumerate(self.processes) if p.exitcode]
        self.stop()
        names = ", ".join(
            f"rank {rank} {f'was killed by signal {-code}' if code < 0 else f'ended with {code}'}"
            for rank, code in died
        )
        return Failed(names or answer, tuple(rank for rank, _ in died))

    def close(self):
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join()
        self._clean()

    def stop(self):
        """Ends the processes, whatever they are doing."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.join()
        self._clean()

    def _clean(self):
        os.close(self.held)
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.folder and os.path.isdir(self.folder.name):
            self.stop() if kind else self.close()
