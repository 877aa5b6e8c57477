"""Communication. Everything is made of one primitive, `exchange`, whose result depends on nothing but what was sent,
and every sum is folded from the left in a stated order (docs/spec/model.md §7.7). gloo's own reductions are not used:
their order of summation is theirs."""

import itertools
import time
from contextlib import contextmanager

import torch
import torch.distributed as dist

TAG_EXCHANGE, TAG_FORWARD, TAG_BACKWARD = 1, 2, 3


class Traffic:
    """What a rank sent and received, and what that took of its thread; read by the measurements."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.ends, self.bytes, self.thread_s = 0, 0, 0.0  # an end: a message sent, or one received

    def count(self, tensor):
        self.ends += 1
        self.bytes += tensor.numel() * tensor.element_size()

    @contextmanager
    def timed(self):
        begun = time.thread_time()
        yield
        self.thread_s += time.thread_time() - begun


TRAFFIC = Traffic()


def exchange(sends, receives, purpose, tag=TAG_EXCHANGE):
    """sends: {rank: tensor}; receives: {rank: (shape, dtype), or a contiguous tensor to be filled} -> {rank: tensor}.

    What goes to oneself is handed over as it is, or copied where there is a tensor to be filled.
    """
    me = dist.get_rank() if dist.is_initialized() else 0
    out = {}
    for rank, wanted in sorted(receives.items()):
        filled = isinstance(wanted, torch.Tensor)
        if rank == me:
            out[rank] = wanted.copy_(sends[rank]) if filled else sends[rank]
        else:
            out[rank] = wanted if filled else torch.empty(wanted[0], dtype=wanted[1])
    kept = []
    with TRAFFIC.timed():
        waits = []
        for rank, buffer in out.items():
            if rank != me and buffer.numel():
                TRAFFIC.count(buffer)
                waits.append(dist.irecv(buffer, rank, tag=tag))
        for rank, tensor in sorted(sends.items()):
            if rank != me and tensor.numel():
                TRAFFIC.count(tensor)
                kept.append(tensor.contiguous())
                waits.append(dist.isend(kept[-1], rank, tag=tag))
        for wait in waits:
            wait.wait()
    return out


class Group:
    """An ordered list of ranks of which this process is one."""

    def __init__(self, ranks, rank):
        self.ranks, self.me = list(ranks), list(ranks).index(rank)

    def __len__(self):
        return len(self.ranks)

    def all_gather(self, tensor, purpose, shapes=None):
        """-> the members' tensors in order; all have the shape of `tensor` unless `shapes` says otherwise."""
        if len(self) == 1:
            return [tensor]
        shapes = shapes or [tensor.shape] * len(self)
        got = exchange(
            {r: tensor for r in self.ranks}, {r: (s, tensor.dtype) for r, s in zip(self.ranks, shapes)}, purpose
        )
        return [got[r] for r in self.ranks]

    def all_to_all(self, tensors, shapes, purpose):
        """tensors[i] goes to member i; -> what each member sent here, of these shapes."""
        dtype = tensors[0].dtype
        got = exchange(dict(zip(self.ranks, tensors)), {r: (s, dtype) for r, s in zip(self.ranks, shapes)}, purpose)
        return [got[r] for r in self.ranks]

    def sum_integers(self, tensor, purpose):
        """Exact in any order."""
        return _sum(self.all_gather(tensor, purpose))

    def broadcast(self, tensor, purpose, source=0):
        """`tensor` of the member `source`; the others give an empty one of the same shape and type."""
        if len(self) == 1:
            return tensor
        root = self.ranks[source]
        if self.me == source:
            exchange({r: tensor for r in self.ranks if r != root}, {}, purpose)
            return tensor
        return exchange({}, {root: (tensor.shape, tensor.dtype)}, purpose)[root]


def _sum(tensors):
    total = tensors[0].clone()
    for tensor in tensors[1:]:
        total += tensor
    return total


def shards_of(length, count):
    """[(begin, end)] of equal shards; `length` is a multiple of `count`."""
    each = length // count
    return [(i * each, (i + 1) * each) for i in range(count)]


def reduce_scatter_in_order(group, contributions, length, purpose):
    """The one sum of gradients: contributions [(key, flat vector of `length`)] of all members, folded from the left by
    ascending key; -> this member's shard of it. Keys are integers, everywhere different; every member may bring any
    number of them, or none."""
    counts = group.all_gather(torch.tensor([len(contributions)]), purpose)
    begin, end = shards_of(length, len(group))[group.me]
    keys = torch.tensor([key for key, _ in contributions], dtype=torch.int64)
    all_keys = group.all_gather(keys, purpose, [(int(n[0]),) for n in counts])
    stack = torch.stack([flat for _, flat in contributions]) if contributions else torch.empty(0, length)
    pieces = [stack[:, a:b].contiguous() for a, b in shards_of(length, len(group))]
    got = group.all_to_all(pieces, [(int(n[0]), end - begin) for n in counts], purpose)
    rows = sorted(zip(itertools.chain(*(k.tolist() for k in all_keys)), itertools.chain(*got)), key=lambda row: row[0])
    total = torch.zeros(end - begin)
    for i, (_, row) in enumerate(rows):
        total = row.clone() if i == 0 else total + row
    return total


class GatherSequence(torch.autograd.Function):
    """Context parallel: the members' pieces of a sequence [B, T/cp, d] -> [B, T, d] in order of position. Backward:
    every member gets the sum, in member order, of what all of them want of its piece."""

    @staticmethod
    def forward(ctx, piece, group, order):
        ctx.group, ctx.order = group, order
        return torch.cat(group.all_gather(piece.contiguous(), "context"), 1)[:, order.argsort()]

    @staticmethod
    def backward(ctx, gradient):
        group, width = ctx.group, gradient.shape[1] // len(ctx.group)
        pieces = gradient[:, ctx.order].split(width, 1)
        got = group.all_to_all([p.contiguous() for p in pieces], [pieces[0].shape] * len(group), "context")
        return _sum(got), None, None


class AllToAll(torch.autograd.Function):
    """Expert parallel: rows [n, d], of which `sends[i]` in turn go to member i; -> the rows that came, member by
    member."""

    @staticmethod
    def forward(ctx, rows, group, sends, receives):
        ctx.group, ctx.sends, ctx.receives = group, sends, receives
        return _swap(rows, group, sends, receives)

    @staticmethod
    def backward(ctx, gradient):
        return _swap(gradient, ctx.group, ctx.receives, ctx.sends), None, None, None


def _swap(rows, group, sends, receives):
    pieces = [p.contiguous() for p in rows.split(sends)]
    return torch.cat(group.all_to_all(pieces, [(n, rows.shape[1]) for n in receives], "experts"))
