"""ModalityBridge, chunked (docs/spec/model.md §7.5, Figure 9): embeddings from the ranks that encoded them to the
context-parallel ranks of pipeline stage 0, and their gradients back. It only moves data, so that the number of chunks
changes no bit."""

import torch

from .exchange import exchange
from .layout import Refused

MOST_CHUNKS = 1024


def pieces_of(length, chunks):
    """[(begin, end)]: a rank's token dimension in contiguous pieces, the longer ones first."""
    each, longer = divmod(length, chunks)
    cuts = [0]
    for c in range(chunks):
        cuts.append(cuts[-1] + each + (c < longer))
    return list(zip(cuts, cuts[1:]))


class Plan:
    """Where every token of every item lies, the same on all ranks; made of metadata alone.

    placement: for each inner rank its items in order; tokens[i]: tokens of item i. Storage is all chunks one after the
    other, a chunk is the pieces of the inner ranks in their order.
    """

    def __init__(self, placement, tokens, chunks):
        if not 1 <= chunks <= MOST_CHUNKS:
            raise Refused(f"a bridge of {chunks} chunks: 1 to {MOST_CHUNKS} are possible")
        self.placement, self.tokens, self.chunks = placement, tokens, chunks
        self.lengths = [sum(tokens[i] for i in items) for items in placement]
        self.pieces = [pieces_of(length, chunks) for length in self.lengths]
        self.total = sum(self.lengths)
        self.where = {
            item: [] for items in placement for item in items
        }  # item -> [(begin, end) in the storage], in order
        self.chunk_begins, self.drawn = [], []
        at = 0
        for c in range(chunks):
            self.chunk_begins.append(at)
            names = []
            for rank in range(len(placement)):
                names.append([item for item, begin, end in self._overlaps(rank, c)])
                for item, begin, end in self._overlaps(rank, c):
                    self.where[item].append((at, at + end - begin))
                    at += end - begin
            self.drawn.append(names)
        self.chunk_begins.append(at)

    def _overlaps(self, rank, c):
        """Items of which a part lies in piece `c` of `rank`: [(item, begin, end)] in the rank's tokens."""
        low, high = self.pieces[rank][c]
        out, at = [], 0
        for item in self.placement[rank]:
            begin, end = max(low, at), min(high, at + self.tokens[item])
            if begin < end:
                out.append((item, begin, end))
            at += self.tokens[item]
        return out

    def chunks_of(self, item):
        """Which chunks an item's pieces are in."""
        return [
            next(c for c in range(self.chunks) if self.chunk_begins[c] <= begin < self.chunk_begins[c + 1])
            for begin, _ in self.where[item]
        ]

    def rows(self, items):
        """Storage rows of these items, in the items' own order: 'select the pieces, sort into original order'."""
        rows = [torch.arange(begin, end) for item in items for begin, end in self.where[item]]
        return torch.cat(rows) if rows else torch.empty(0, dtype=torch.int64)

    def most_in_a_chunk(self):
        return max(end - begin for begin, end in zip(self.chunk_begins, self.chunk_begins[1:]))


class Bridge:
    """One step's bridge on one rank. `inner`: the group of the inner data-parallel ranks; `context`: that of the
    context-parallel ranks on pipeline stage 0, else None."""

    def __init__(self, plan, inner, context, hidden):
        self.plan, self.inner, self.context, self.hidden = plan, inner, context, hidden
        self.storage = self.gradients = None
        self.largest_buffer = 0  # bytes of the largest chunk that inner rank 0 held in full width

    def _share(self, cp, count):
        each = self.hidden // count
        return slice(cp * each, (cp + 1) * each)

    def forward(self, embeddings, stage0):
        """embeddings: this rank's items one after the other [tokens, hidden]; stage0: global ranks of the CP ranks of
        pp0."""
        plan, root, me = self.plan, self.inner.ranks[0], self.inner.ranks[self.inner.me]
        if self.context is not None:
            self.storage = torch.empty(plan.total, self.hidden // len(stage0))
        for c in range(plan.chunks):
            begin, end = plan.pieces[self.inner.me][c]
            low, high = plan.chunk_begins[c], plan.chunk_begins[c + 1]
            receives, sends = {}, {}
            if me == root:
                whole = torch.empty(high - low, self.hidden)
                receives = dict(
                    zip(self.inner.ranks, whole.split([b - a for a, b in (pieces[c] for pieces in plan.pieces)]))
                )
            exchange({root: embeddings[begin:end]}, receives, "bridge")
            if me == root:
                self.largest_buffer = max(self.largest_buffer, whole.numel() * whole.element_size())
                sends = {r: whole[:, self._share(cp, len(stage0))] for cp, r in enumerate(stage0)}
            if self.context is not None:
                exchange(sends, {root: self.storage[low:high]}, "bridge")
            elif sends:
                exchange(sends, {}, "bridge")
            receives = sends = whole = None

    def embeddings_of(self, items):
        """On stage 0: the embeddings of a micro-batch's items, whole width, in the items' order."""
        rows = self.plan.rows(items)
        return torch.cat(self.context.all_gather(self.storage[rows], "bridge"), 1)

    def return_gradients(self, items, gradient):
        """Backward of `embeddings_of`: each context rank keeps, for its share of the width, the sum of what all of them
        want. An embedding lies in one context rank's part of the sequence; the others want 0 of it, so nothing is
        rounded."""
        count = len(self.context)
        if self.gradients is None:
            self.gradients = torch.zeros(self.plan.total, self.hidden // count)
        shares = [gradient[:, self._share(cp, count)].contiguous() for cp in range(count)]
        got = self.context.all_to_all(shares, [shares[0].shape] * count, "bridge")
        self.gradients[self.plan.rows(items)] = sum(got[1:], got[0])

    def backward(self, stage0):
        """-> gradients of this rank's items, one after the other [tokens, hidden]."""
        plan, root, me = self.plan, self.inner.ranks[0], self.inner.ranks[self.inner.me]
        out = torch.empty(plan.lengths[self.inner.me], self.hidden)
        for c in range(plan.chunks):
            low, high = plan.chunk_begins[c], plan.chunk_begins[c + 1]
            shape = ((high - low, self.hidden // len(stage0)), torch.float32)
            sends = {root: self.gradients[low:high]} if self.context is not None else {}
            got = exchange(sends, {r: shape for r in stage0} if me == root else {}, "bridge")
            sends = {}
            if me == root:
                whole = torch.empty(high - low, self.hidden)
                torch.cat([got.pop(r) for r in stage0], 1, out=whole)
                self.largest_buffer = max(self.largest_buffer, whole.numel() * whole.element_size())
                sends = dict(
                    zip(self.inner.ranks, whole.split([pieces[c][1] - pieces[c][0] for pieces in plan.pieces]))
                )
            begin, end = plan.pieces[self.inner.me][c]
            exchange(sends, {root: out[begin:end]}, "bridge")
            sends = got = whole = None
        self.storage = self.gradients = None
        return out
