"""Running averages of the weights: what a stage is judged by and saves, steadier than the last step."""

from contextlib import contextmanager

import torch

from stages.runner import Run

DECAY = 0.998


class Averaged(Run):
    """A `Run` whose checkpoints hold the averages, taken over the last 500 steps (fewer at the beginning)."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.averages, self.taken = [p.detach().clone() for p in self.parameters], 0

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
