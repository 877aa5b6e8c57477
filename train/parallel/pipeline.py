"""One forward, one backward (1F1B) over the micro-batches of a step, on one rank."""

import torch
import torch.distributed as dist

from .exchange import TAG_BACKWARD, TAG_FORWARD, TRAFFIC
from .record import RECORDER


def zigzag(length, cp, count):
    """Positions of one context rank: pieces i and 2·count − 1 − i of 2·count, so that causal attention costs all the
    same."""
    pieces = torch.arange(length).chunk(2 * count)
    return torch.cat((pieces[cp], pieces[2 * count - 1 - cp]))


def schedule(stage, stages, count):
    """[("F" or "B", micro-batch)] in order."""
    warm = min(stages - 1 - stage, count)
    order = [("F", i) for i in range(warm)]
    for i in range(count - warm):
        order += [("F", warm + i), ("B", i)]
    return order + [("B", i) for i in range(count - warm, count)]


class Pipeline:
    def __init__(self, stage, layout, rank, encoders):
        self.stage, self.layout, self.encoders = stage, layout, encoders
        self.dp, self.pp, self.cp = layout.place(rank)
        self.before = layout.rank(self.dp, self.pp - 1, self.cp) if self.pp > 0 else None
        self.after = layout.rank(self.dp, self.pp + 1, self.cp) if self.pp + 1 < layout.pp else None
        self.hidden = stage.config["hidden_size"]

    def run(self, batches, numbers, done):
        """numbers[i]: the items of micro-batch i. done(i) is called after each backward. -> this rank's part of each
        loss."""
        self.batches, self.numbers, self.kept, self.sending = batches, numbers, {}, []
        losses = [0.0] * len(batches)
        for what, i in schedule(self.pp, self.layout.pp, len(batches)):
            if what == "F":
                losses[i] = self._forward(i)
            else:
                self._backward(i)
                done(i)
        for wait, _ in self.sending:
            wait.wait()
        self.sending = []
        return losses

    def _forward(self, i):
        batch = self.batches[i].tensors
        length, count = len(batch["text"]), self.layout.cp
        order = torch.cat([zigzag(length, cp, count) for cp in range(count)])
        positions = zigzag(length, self.cp, count)
        features = None
        if self.stage.first:
            with RECORDER.span("features"):
                features = self.encoders.features(self.numbers[i])
            with RECORDER.span("embed", tokens=len(positions)):
                if features is not None:
                    features.requires_grad_()
                x = self.stage.embeddings(batch, features)[:, positions]
                # Always part of a graph, so that every rank's backward makes the same exchanges.
                x = x if x.requires_grad else x.detach().requires_grad_()
        else:
            with RECORDER.span("receive", mb=i):
                x = self._receive(self.before, (1, len(positions), self.hidden), TAG_FORWARD).requires_grad_()
        given = x
        with RECORDER.span("forward", tokens=len(positions), mb=i):
            x = self.stage.run(x, positions, order, length)
        loss = 0.0
        if self.stage.last:
            with RECORDER.span("head", tokens=len(positions)):
                x = self.stage.loss(x, batch, positions)
                loss = float(x.detach())
        else:
            self._send(x.detach(), self.after, TAG_FORWARD)
        self.kept[i] = (given, features, x)
        return loss

    def _backward(self, i):
        given, features, out = self.kept.pop(i)
        if self.stage.last:
            gradient = None
        else:
            with RECORDER.span("receive", mb=i):
                gradient = self._receive(self.after, out.shape, TAG_BACKWARD)
        with RECORDER.span("backward", tokens=given.shape[1], mb=i):
            out.backward(gradient)
        if not self.stage.first:
            self._send(given.grad, self.before, TAG_BACKWARD)
        elif features is not None:
            with RECORDER.span("features back"):
                self.encoders.return_gradient(self.numbers[i], features.grad)

    def _send(self, tensor, rank, tag):
        TRAFFIC.count(tensor)
        tensor = tensor.contiguous()
        # What has arrived is let go at once, so that no more is held than is under way.
        self.sending = [(wait, kept) for wait, kept in self.sending if not wait.is_completed()]
        with TRAFFIC.timed():
            self.sending.append((dist.isend(tensor, rank, tag=tag), tensor))

    def _receive(self, rank, shape, tag):
        buffer = torch.empty(shape)
        TRAFFIC.count(buffer)
        with TRAFFIC.timed():
            dist.irecv(buffer, rank, tag=tag).wait()
        return buffer
