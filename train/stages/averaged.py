"""Running averages of the weights: what a stage is judged by and saves, steadier than the last step."""

from contextlib import contextmanager

import torch

from stages.runner import Run

DECAY = 0.998


class Averaged(Run):
    """A `Run` whose checkpoints hold the averages, taken over the last 500 steps (fewer at the beginning)."""

    def __init__(self, *args, **options):
        self.averages, self.taken = None, 0
        super().__init__(*args, **options)
        if self.averages is None:
            self.averages = [p.detach().clone() for p in self.parameters]

    def update(self, loss, **shown):
        super().update(loss, **shown)
        self.taken += 1
        decay = min(DECAY, self.taken / (self.taken + 10))
        torch._foreach_mul_(self.averages, decay)
        torch._foreach_add_(self.averages, [p.detach() for p in self.parameters], alpha=1 - decay)

    @contextmanager
    def averaged(self):
        """The modules hold the averages meanwhile."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self):
        for p, average in zip(self.parameters, self.averages):
            last = p.clone()
            p.copy_(average)
            average.copy_(last)

    def save(self):
        with self.averaged():
            super().save()

    def _state(self):
        """Within `averaged` the averages are in the modules, and what learns is beside them."""
        return {**super()._state(), "learning": self.averages, "taken": self.taken}

    def _go_on(self, state):
        super()._go_on(state)
        self.averages, self.taken = [p.detach().clone() for p in state["learning"]], state["taken"]
        self._exchange()
