"""Runs training to its end: a rank that dies ends the attempt, and the next one goes on from the last checkpoint."""

import os
import signal

from . import checkpoint
from .pool import Failed, Pool
from .step import Trainer

MOST_ATTEMPTS = 5


def train(rank, settings, steps, folder, every, die=None):
    """One attempt on one rank. die: (rank, step): that rank is killed in the midst of that step, once. -> losses from
    where it began."""
    trainer = Trainer(settings, rank)
    begin = checkpoint.restore(trainer, folder)
    losses = []
    for step in range(begin, steps):
        if die and (rank, step) == tuple(die[:2]) and not os.path.exists(die[2]):
            open(die[2], "w", encoding="utf-8").close()
            _die_inside(trainer)
        losses.append(trainer.step()["loss"])
        if (step + 1) % every == 0:
            checkpoint.save(trainer, folder)
    return begin, losses


def _die_inside(trainer):
    """After the forward of the second micro-batch: others wait for this rank by then."""
    forward = trainer.pipeline._forward

    def dying(i):
        if i == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return forward(i)

    trainer.pipeline._forward = dying


def supervised(settings, steps, folder, every, die=None, say=print):
    """-> (losses of all steps, attempts). @raises Failed after MOST_ATTEMPTS"""
    settings.check(settings.layout.world)
    losses = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            with Pool(settings.layout.world) as pool:
                begin, got = pool.run(train, settings=settings, steps=steps, folder=folder, every=every, die=die)[0]
                return losses[:begin] + got if len(losses) >= begin else [None] * begin + got, attempt
        except Failed as error:
            if not error.died:
                raise  # it would fail again
            say(f"  attempt {attempt} ended: {error}")
    raise Failed(f"given up after {MOST_ATTEMPTS} attempts")
