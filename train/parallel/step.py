"""A training step under modality-decoupled parallelism, on one rank; README.md walks through it."""

import zlib
from dataclasses import dataclass

import torch

from . import config as sizes
from .curriculum import AUDIO, CODES, LM, VISION
from .data import deal, distribute, global_batch
from .encoders import Context, Decoupled, Plain
from .exchange import Group
from .flat import ZeroOne
from .layout import Layout, Refused
from .model import Encoders, Stage
from .pipeline import Pipeline
from .record import RECORDER

BIAS_RATE = 0.01
MOST_MICRO_BATCHES = 4096


@dataclass(frozen=True)
class Settings:
    layout: Layout
    stage: object  # CurriculumStage
    micro_batches: int = 8  # of the global batch
    chunks: int = 1
    decoupled: bool = True
    # Gradients are summed micro-batch by micro-batch and item by item ("finest": the same for every data-parallel size
    # and placement), or over each rank's own first ("rank": what is done in practice; one vector a rank is sent).
    order: str = "rank"
    rate: float = 1e-3
    seed: int = 1
    placement: tuple = ()  # of items over the inner ranks; () = BalanceData
    fixed: tuple = ()  # shapes of the items of each micro-batch, for Figure 9
    config: dict = None

    def check(self, ranks):
        """@raises Refused"""
        layout, count = self.layout, self.micro_batches
        layout.check(self.config or sizes.CONFIG, ranks)
        if not 1 <= count <= MOST_MICRO_BATCHES:
            raise Refused(f"{count} micro-batches: 1 to {MOST_MICRO_BATCHES} are possible")
        if count % layout.dp:
            raise Refused(f"DP {layout.dp} does not divide {count} micro-batches")
        if self.stage.length % (2 * layout.cp):
            raise Refused(
                f"sequences of {self.stage.length} positions cannot be cut into 2 × CP {layout.cp} equal pieces"
            )
        if self.order not in ("rank", "finest"):
            raise Refused(f"order {self.order!r}: there are rank and finest")


def initialise(module, seed, rename=lambda name: name):
    """Weights from the seed and the parameter's name in the whole model: the same in every layout."""
    for name, p in module.named_parameters():
        if p.dim() < 2:
            if name.endswith("bias"):
                p.data.zero_()
            continue
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{rename(name)}".encode()))
        spread = 0.3 if "embed" in name and p.dim() == 2 else p[0].numel() ** -0.5
        p.data.copy_(torch.randn(p.shape, generator=generator) * spread)


class Trainer:
    """One rank's part of the model and its steps."""

    def __init__(self, settings, rank):
        self.settings, self.rank, self.layout = settings, rank, settings.layout
        layout, config = self.layout, settings.config or sizes.CONFIG
        self.config, self.step_number = config, 0
        self.dense = Group(layout.dense_group(rank), rank)
        self.experts = Group(layout.expert_group(rank), rank)
        self.expert_parallel = Group(layout.ep_group(rank), rank)
        self.world = Group(range(layout.world), rank)
        self.inner = Group(layout.inner_group(rank), rank)
        self.stage = Stage(config, layout, rank, Group(layout.cp_group(rank), rank), self.expert_parallel)
        initialise(self.stage, settings.seed, self._whole_name)
        for layer in self.stage.layers:
            for attention in layer.self_attn:
                attention.base = settings.stage.rope_base
        self._freeze(settings.stage.trained)
        trained = lambda parameters: [p for p in parameters if p.requires_grad]
        dense, expert = trained(self.stage.dense_parameters()), trained(self.stage.expert_parameters())
        self.dense_weights = ZeroOne(dense, self.dense) if dense else None
        self.expert_weights = ZeroOne(expert, self.experts) if expert else None
        encoders = Encoders(config)
        initialise(encoders, settings.seed, lambda name: f"encoders.{name}")
        kinds = [kind for kind, name in (("vision", VISION), ("audio", AUDIO)) if name in settings.stage.trained]
        context = Context(config, layout, rank)
        self.encoders = (Decoupled if settings.decoupled else Plain)(encoders, kinds, context)
        self.pipeline = Pipeline(self.stage, layout, rank, self.encoders)

    def _whole_name(self, name):
        """layers.0.mlp.experts.1… of this rank -> its name in the whole model."""
        parts = name.split(".")
        if parts[0] == "layers":
            parts[1] = str(int(parts[1]) + self.stage.index * len(self.stage.layers))
        if "experts" in parts:
            at = parts.index("experts") + 1
            parts[at] = str(int(parts[at]) + self.expert_parallel.me * self.stage.layers[0].mlp.each)
        return ".".join(parts)

    def _freeze(self, trained):
        for name, p in self.stage.named_parameters():
            part = CODES if name.startswith(("audio.", "heads.")) else LM
            p.requires_grad_(part in trained)

    def step(self):
        """-> {"loss": float, ...}; the same on every rank."""
        settings, layout = self.settings, self.layout
        finest = settings.order == "finest"
        with RECORDER.span("load"):
            batches = self._load()
        items, numbers, keys = self._items(batches)
        with_items = self._anyone(len(items))
        if with_items:
            self.encoders.forward(items, settings.placement, settings.chunks)
        dense, expert = [], []

        def done(i):
            if finest or i == len(batches) - 1:
                if self.dense_weights:
                    key = batches[i].number * layout.cp + self.pipeline.cp if finest else self.dense.me
                    dense.append((key, self.dense_weights.flat.take_gradient()))
                if self.expert_weights:
                    expert.extend(self._expert_gradients(i, finest))

        losses = self.pipeline.run(batches, numbers, done)
        given = self.encoders.backward(keys, finest) if with_items else None
        gradients = {}
        with RECORDER.span("update"):
            if self.dense_weights:
                gradients["dense"] = self.dense_weights.step(dense, settings.rate)
            if self.expert_weights:
                gradients["experts"] = self.expert_weights.step(expert, settings.rate)
            if given is not None:
                gradients.update(self.encoders.step(given, settings.rate))
            identity = self._control_experts() if LM in settings.stage.trained else 0.0
        self.step_number += 1
        self.gradients = gradients
        return {"loss": self._loss(batches, losses), "identity": identity, "losses": losses}

    def _load(self):
        settings = self.settings
        mine = None
        if self.inner.me == 0:
            everything = global_batch(
                settings.stage,
                settings.seed,
                self.step_number,
                settings.micro_batches,
                self.config["code_vocab"],
                [list(shapes) for shapes in settings.fixed],
            )
            mine = deal(everything, self.layout.dp)[self.pipeline.dp]
        return distribute(mine, self.inner)

    def _items(self, batches):
        """-> (items of all micro-batches, their numbers by micro-batch, their keys in the global batch)."""
        items, numbers, keys = [], [], []
        for batch in batches:
            numbers.append(list(range(len(items), len(items) + len(batch.items))))
            keys += [batch.number * 1000 + n for n in range(len(batch.items))]
            items += batch.items
        return items, numbers, keys

    def _anyone(self, count):
        """Whether any data-parallel group has items: sharded weights are gathered together."""
        return int(self.world.sum_integers(torch.tensor([count]), "metadata")) > 0

    def _expert_gradients(self, i, finest):
        """One vector for each rank that sent tokens, under the key that its own gradient would have."""
        group, weights, out = self.expert_parallel, self.expert_weights, []
        trained = self.stage.expert_parameters()
        for source, rank in enumerate(group.ranks):
            at = 0
            for layer in self.stage.layers:
                for view in layer.mlp.views()[source]:
                    trained[at].grad, view.grad = view.grad, None
                    at += 1
            dp, _, cp = self.layout.place(rank)
            number = deal(list(range(self.settings.micro_batches)), self.layout.dp)[dp][i]
            key = number * self.layout.cp + cp if finest else self.dense.ranks.index(rank)
            out.append((key, weights.flat.take_gradient()))
        return out

    @torch.no_grad()
    def _control_experts(self):
        """The selection biases move towards the wanted shares (docs/spec/model.md §1.4): counts of the global batch,
        which are whole numbers."""
        lm, shares = self.config["language_model"], []
        n, zero = lm["n_routed_experts"], lm["zero_expert_num"]
        for layer in self.stage.layers:
            used = self.dense.sum_integers(layer.mlp.chosen, "metadata").double()
            layer.mlp.chosen.zero_()
            used /= used.sum()
            layer.mlp.router.e_score_correction_bias[:n] += (
                BIAS_RATE * (sizes.REAL_EXPERTS_SHARE / n - used[:n])
            ).float()
            shares.append(float(used[n : n + zero].sum()))
        return sum(shares) / len(shares)

    def _loss(self, batches, losses):
        """Folded over the global batch by micro-batch, then context rank."""
        mine = torch.tensor(
            [[b.number * self.layout.cp + self.pipeline.cp, loss] for b, loss in zip(batches, losses)],
            dtype=torch.float64,
        )
        rows = torch.cat(self.world.all_gather(mine, "metadata"))
        last = [i for i in range(self.layout.world) if self.layout.place(i)[1] == self.layout.pp - 1]
        each = len(batches)
        wanted = sorted(tuple(row) for i in last for row in rows[i * each : (i + 1) * each].tolist())
        return sum(loss for _, loss in wanted)

    def named_gradients(self):
        """Collective. The last step's gradients, whole, by their parameters' names in the whole model: those that this
        rank knows."""
        names = {id(p): self._whole_name(name) for name, p in self.stage.named_parameters()}
        out = {}
        for name, part in (("dense", self.dense_weights), ("experts", self.expert_weights)):
            if part:
                vector = torch.cat(part.group.all_gather(self.gradients[name], "inspection"))
                out.update(part.flat.by_name(vector, [names[id(p)] for p in part.flat.parameters]))
        return {**out, **self.encoders.named_gradients(self.gradients)}

    def state(self):
        weights = {
            name: part for name, part in (("dense", self.dense_weights), ("experts", self.expert_weights)) if part
        }
        return {
            "weights": {
                name: {"vector": part.flat.vector, "adam": part.adam.state()} for name, part in weights.items()
            },
            "biases": [layer.mlp.router.e_score_correction_bias for layer in self.stage.layers],
            "encoders": self.encoders.state(),
        }

    def load(self, state):
        for name, part in (("dense", self.dense_weights), ("experts", self.expert_weights)):
            if part:
                part.flat.vector.copy_(state["weights"][name]["vector"])
                part.adam.load(state["weights"][name]["adam"])
        for layer, bias in zip(self.stage.layers, state["biases"]):
            layer.mlp.router.e_score_correction_bias.copy_(bias)
        self.encoders.load(state["encoders"])
        self.step_number = state["step"]
