"""AdamW on flat vectors, in steps that round once each: the same bits however a vector is cut into shards. (Fused
kernels may round an element differently where it falls into the last, incomplete vector of a shard.)"""

import torch

BETAS, EPS, DECAY = (0.9, 0.95), 1e-8, 0.1  # docs/spec/model.md §7.3


class Adam:
    def __init__(self, length):
        self.m, self.v, self.steps = torch.zeros(length), torch.zeros(length), 0

    def step(self, weights, gradient, rate):
        """Changes `weights` in place; both are this rank's shard."""
        self.steps += 1
        b1, b2 = BETAS
        self.m.mul_(b1).add_(gradient * (1 - b1))
        self.v.mul_(b2).add_((gradient * gradient) * (1 - b2))
        mean, spread = self.m / (1 - b1**self.steps), self.v / (1 - b2**self.steps)
        change = mean / (spread.sqrt() + EPS)
        weights.mul_(1 - rate * DECAY).sub_(change * rate)

    def state(self):
        return {"m": self.m, "v": self.v, "steps": self.steps}

    def load(self, state):
        self.m.copy_(state["m"])
        self.v.copy_(state["v"])
        self.steps = state["steps"]
