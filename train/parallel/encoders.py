"""The encoders' part of a step, two ways: decoupled as the report has it, and plainly on the ranks of pipeline stage
0."""

import torch

from .balance import balance, check_placement
from .bridge import Bridge, Plan
from .data import KINDS, send_items
from .exchange import Group, exchange
from .flat import HybridSharded, ZeroOne
from .record import RECORDER


def _split(tensor, items, placement):
    return tensor.split([items[i].tokens for i in placement])


def _named(encoders, kind, weights, group, shard):
    names = [f"encoders.{kind}.{name}" for name, _ in getattr(encoders, kind).named_parameters()]
    return weights.flat.by_name(torch.cat(group.all_gather(shard, "inspection")), names)


class Decoupled:
    """Balanced over all inner ranks, sharded weights (HSDP), full recomputation, ModalityBridge."""

    def __init__(self, encoders, trained, context):
        self.encoders, self.context = encoders, context
        self.trained = [kind for kind in KINDS if kind in trained]
        self.weights = {}
        for kind in KINDS:
            parameters = list(getattr(encoders, kind).parameters())
            for p in parameters:
                p.requires_grad_(kind in self.trained)
            self.weights[kind] = HybridSharded(parameters, context.shard_group, context.everyone)
        self.bridge = None

    def _gathered(self, kinds):
        for kind in kinds:
            self.weights[kind].gather()

    def _release(self, kinds):
        for kind in kinds:
            self.weights[kind].release()

    def forward(self, items, placement, chunks):
        context = self.context
        self.items, tokens = items, [i.tokens for i in items]
        with RECORDER.span("balance"):
            placement = (
                check_placement(placement, len(items), len(context.inner))
                if placement
                else balance(tokens, len(context.inner))
            )
            self.plan = Plan(placement, tokens, chunks)
        self.mine = placement[context.inner.me]
        with RECORDER.span("items"):
            self.data = send_items(items, placement, context.inner, context.config["audio"]["input_size"])
        kinds = sorted({i.kind for i in items})  # the same on all ranks of the inner group
        self.kinds = context.agree(kinds)
        with RECORDER.span("gather"):
            self._gathered(self.kinds)
        out = []
        with torch.no_grad():
            for i in self.mine:
                with RECORDER.span("encode", kind=items[i].kind, tokens=items[i].tokens):
                    out.append(self.encoders(items[i].kind, self.data[i]))
        self._release(self.kinds)
        embeddings = torch.cat(out) if out else torch.empty(0, context.hidden)
        self.bridge = Bridge(self.plan, context.inner, context.stage0, context.hidden)
        with RECORDER.span("bridge"):
            self.bridge.forward(embeddings, context.stage0_ranks)

    def features(self, numbers):
        return self.bridge.embeddings_of(numbers) if numbers else None

    def return_gradient(self, numbers, gradient):
        if numbers:
            self.bridge.return_gradients(numbers, gradient)

    def backward(self, keys, finest):
        """keys[i]: the place of item i among all items of the global batch. -> {kind: contributions}."""
        if not self.trained:
            return {}
        with RECORDER.span("bridge back"):
            if self.bridge.gradients is None and self.context.stage0 is not None:
                self.bridge.gradients = torch.zeros(self.plan.total, self.context.hidden // len(self.context.stage0))
            gradient = self.bridge.backward(self.context.stage0_ranks)
        with RECORDER.span("gather"):
            self._gathered(self.kinds)
        given = {kind: [] for kind in self.trained}
        for i, part in zip(self.mine, _split(gradient, self.items, self.mine)):
            kind = self.items[i].kind
            with RECORDER.span("encode back", kind=kind, tokens=self.items[i].tokens):
                if kind in self.trained:
                    self.encoders(kind, self.data[i]).backward(part)  # full recomputation
                    if finest:
                        given[kind].append((keys[i], self.weights[kind].flat.take_gradient()))
        if not finest:
            for kind in self.trained:
                given[kind].append((self.context.everyone.me, self.weights[kind].flat.take_gradient()))
        self._release(self.kinds)
        return given

    def step(self, given, rate):
        return {kind: self.weights[kind].step(given[kind], rate) for kind in self.trained}

    def named_gradients(self, gradients):
        out = {}
        for kind in self.trained:
            if kind in gradients:
                out.update(
                    _named(self.encoders, kind, self.weights[kind], self.weights[kind].shard_group, gradients[kind])
                )
        return out

    def largest_buffer(self):
        return self.bridge.largest_buffer if self.bridge else 0

    def state(self):
        return {kind: {"weights": w.shard, "adam": w.adam.state()} for kind, w in self.weights.items()}

    def load(self, state):
        for kind, w in self.weights.items():
            w.shard.copy_(state[kind]["weights"])
            w.adam.load(state[kind]["adam"])


class Plain:
    """What decoupling is compared with: inner rank 0 encodes every item and keeps what autograd keeps; whole weights,
    no balance, no recomputation, no bridge. Embeddings go to the other context ranks whole."""

    def __init__(self, encoders, trained, context):
        self.encoders, self.context = encoders, context
        self.trained = [kind for kind in KINDS if kind in trained]
        self.here = context.inner.me == 0
        self.weights = {}
        for kind in KINDS:
            parameters = list(getattr(encoders, kind).parameters())
            for p in parameters:
                p.requires_grad_(kind in self.trained)
            if self.here:
                self.weights[kind] = ZeroOne(parameters, context.first_ranks)

    def forward(self, items, placement, chunks):
        self.items, self.gradients = items, {}
        if self.here:
            splice = self.context.config["audio"]["input_size"]
            self.out = [self.encoders(item.kind, item.read(splice)) for item in items]

    def features(self, numbers):
        if not numbers:
            return None
        shape = (sum(self.items[i].tokens for i in numbers), self.context.hidden)
        whole = torch.cat([self.out[i].detach() for i in numbers]) if self.here else torch.empty(shape)
        return self.context.stage0.broadcast(whole, "bridge")

    def return_gradient(self, numbers, gradient):
        if not numbers:
            return
        root = self.context.inner.ranks[0]
        ranks = self.context.stage0.ranks
        got = exchange(
            {root: gradient}, {r: (gradient.shape, torch.float32) for r in ranks} if self.here else {}, "bridge"
        )
        if self.here:
            total = sum((got[r] for r in ranks[1:]), got[ranks[0]])
            self.gradients.update(zip(numbers, _split(total, self.items, numbers)))

    def backward(self, keys, finest):
        given = {kind: [] for kind in self.trained}
        if not self.here:
            return given
        for i, gradient in sorted(self.gradients.items()):
            kind = self.items[i].kind
            if kind in self.trained:
                self.out[i].backward(gradient)
                if finest:
                    given[kind].append((keys[i], self.weights[kind].flat.take_gradient()))
        if not finest:
            for kind in self.trained:
                given[kind].append((self.context.everyone.me, self.weights[kind].flat.take_gradient()))
        self.out = None
        return given

    def step(self, given, rate):
        return {kind: self.weights[kind].step(given[kind], rate) for kind in self.trained} if self.here else {}

    def named_gradients(self, gradients):
        out = {}
        for kind in self.trained if self.here else ():
            if kind in gradients:
                out.update(_named(self.encoders, kind, self.weights[kind], self.weights[kind].group, gradients[kind]))
        return out

    def largest_buffer(self):
        return 0

    def state(self):
        return {kind: {"weights": w.flat.vector, "adam": w.adam.state()} for kind, w in self.weights.items()}

    def load(self, state):
        for kind, w in self.weights.items():
            w.flat.vector.copy_(state[kind]["weights"])
            w.adam.load(state[kind]["adam"])


class Context:
    """What the encoders' part needs to know of the layout."""

    def __init__(self, config, layout, rank):
        self.config, self.hidden = config, config["language_model"]["hidden_size"]
        self.inner = Group(layout.inner_group(rank), rank)
        self.everyone = Group(range(layout.world), rank)
        self.shard_group = Group(layout.shard_group(rank), rank)
        dp, pp, _ = layout.place(rank)
        self.stage0_ranks = [layout.rank(dp, 0, cp) for cp in range(layout.cp)]
        self.stage0 = Group(self.stage0_ranks, rank) if pp == 0 else None
        firsts = [layout.rank(d, 0, 0) for d in range(layout.dp)]
        self.first_ranks = Group(firsts, rank) if rank in firsts else None

    def agree(self, kinds):
        """Gathering weights is everyone's work: a kind that one data-parallel group needs is gathered by all."""
        if len(self.everyone) == len(self.inner):
            return kinds
        mine = torch.tensor([int(kind in kinds) for kind in KINDS])
        return [kind for kind, n in zip(KINDS, self.everyone.sum_integers(mine, "metadata")) if n]
