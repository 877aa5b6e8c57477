"""Ranks as processes of this machine, one thread each, connected by gloo. A pool runs many jobs one after the other."""
import os
import sys
import tempfile
import traceback
from multiprocessing import get_context

import torch
import torch.distributed as dist

from .layout import Refused

ANSWER_S = 3600
LEAVE_S = 0.2  # for a death to be seen


def _rank(rank, world, meeting, pipe):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    while True:
        job = pipe.recv()
        if job is None:
            break
        function, arguments = job
        try:
            pipe.send(("done", function(rank, **arguments)))
        except Exception as error:  # whatever it is, it is said where it can be read; the other ranks are stopped by the caller
            pipe.send(("failed", f"rank {rank}: {error!r}\n{traceback.format_exc()}"))
    dist.destroy_process_group()


class Failed(Exception):
    """A rank failed, or died: `died` names those that did."""

    def __init__(self, message, died=()):
        super().__init__(message)
        self.died = died


class Pool:
    def __init__(self, world):
        if not dist.is_gloo_available():
            raise Refused("this PyTorch was built without gloo")
        context = get_context("fork")  # PyTorch is loaded once
        self.folder = tempfile.TemporaryDirectory(prefix="ranks-")
        meeting = os.path.join(self.folder.name, "meeting")
        sys.stdout.flush()
        self.pipes, self.processes = [], []
        for rank in range(world):
            ours, theirs = context.Pipe()
            process = context.Process(target=_rank, args=(rank, world, meeting, theirs), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)

    def run(self, function, ranks=None, **arguments):
        """function(rank, **arguments) on the first `ranks` ranks -> their answers. @raises Failed: one failed or died; the pool is closed."""
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
        names = ", ".join(f"rank {rank} {f'was killed by signal {-code}' if code < 0 else f'ended with {code}'}" for rank, code in died)
        return Failed(names or answer, tuple(rank for rank, _ in died))

    def close(self):
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join()
        self.folder.cleanup()

    def stop(self):
        """Ends the processes, whatever they are doing."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.join()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.folder and os.path.isdir(self.folder.name):
            self.stop() if kind else self.close()
