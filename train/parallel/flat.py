"""Parameters as one flat vector: whole on every rank with a sharded optimiser (ZeRO-1), or sharded too (HSDP)."""

import torch

from .adam import Adam
from .exchange import reduce_scatter_in_order, shards_of


def _padded(length, count):
    return -(-length // count) * count


class Flat:
    """The trainable parameters of some modules; they become views of `self.vector`."""

    def __init__(self, parameters, shards):
        self.parameters = list(parameters)
        self.shapes = [p.shape for p in self.parameters]
        self.length = sum(p.numel() for p in self.parameters)
        self.padded = _padded(max(1, self.length), shards)
        self.vector = torch.zeros(self.padded)
        self.vector[: self.length] = (
            torch.cat([p.detach().flatten() for p in self.parameters]) if self.parameters else torch.empty(0)
        )
        self.tie(self.vector)

    def tie(self, vector):
        """Points every parameter at its part of `vector`."""
        at = 0
        for p, shape in zip(self.parameters, self.shapes):
            p.data = vector[at : at + shape.numel()].view(shape)
            at += shape.numel()

    def by_name(self, vector, names):
        """{name: part of `vector`, in its parameter's shape}"""
        out, at = {}, 0
        for name, shape in zip(names, self.shapes):
            out[name] = vector[at : at + shape.numel()].view(shape)
            at += shape.numel()
        return out

    def take_gradient(self):
        """The gradients as one vector, and none are left."""
        parts = [
            torch.zeros(shape.numel()) if p.grad is None else p.grad.flatten()
            for p, shape in zip(self.parameters, self.shapes)
        ]
        for p in self.parameters:
            p.grad = None
        return torch.nn.functional.pad(torch.cat(parts), (0, self.padded - self.length))


class ZeroOne:
    """ZeRO-1: every rank of `group` has the weights and a shard of the optimiser."""

    def __init__(self, parameters, group):
        self.flat, self.group = Flat(parameters, len(group)), group
        self.begin, self.end = shards_of(self.flat.padded, len(group))[group.me]
        self.adam = Adam(self.end - self.begin)

    def step(self, contributions, rate, purpose="gradients"):
        """contributions: [(key, flat gradient)] of this rank. -> the summed gradient's shard."""
        shard = reduce_scatter_in_order(self.group, contributions, self.flat.padded, purpose)
        mine = self.flat.vector[self.begin : self.end]
        self.adam.step(mine, shard, rate)
        for (begin, end), part in zip(
            shards_of(self.flat.padded, len(self.group)), self.group.all_gather(mine.clone(), "weights")
        ):
            self.flat.vector[begin:end] = part
        return shard


class HybridSharded:
    """HSDP: the ranks of `shard_group` hold one copy together, gather it where it is needed and let it go; the gradient
    is summed over `everyone`, whose copies are equal. Weights, gradients and optimiser are sharded."""

    def __init__(self, parameters, shard_group, everyone):
        self.shard_group, self.everyone = shard_group, everyone
        # As many pieces as there are ranks, so that a shard is a whole number of them.
        self.flat = Flat(parameters, len(everyone))
        self.begin, self.end = shards_of(self.flat.padded, len(shard_group))[shard_group.me]
        self.shard = self.flat.vector[self.begin : self.end].clone()
        self.adam = Adam(self.end - self.begin)
        self.release()

    def gather(self):
        self.flat.vector = torch.cat(self.shard_group.all_gather(self.shard, "encoder weights"))
        self.flat.tie(self.flat.vector)

    def release(self):
        self.flat.vector = None
        empty = torch.empty(0)
        for p in self.flat.parameters:
            p.data = empty

    def step(self, contributions, rate):
        piece = reduce_scatter_in_order(self.everyone, contributions, self.flat.padded, "encoder gradients")
        # Each rank has summed one piece; a shard is made of the pieces in it, wherever they were summed.
        pieces = self.everyone.all_gather(piece, "encoder gradients")
        gradient = torch.cat(pieces)[self.begin : self.end]
        self.adam.step(self.shard, gradient, rate)
        return gradient
