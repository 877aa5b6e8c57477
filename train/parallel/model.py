"""The parts of nano as train/ has them (reference/), cut along the parallel dimensions: a pipeline stage of the
language model whose attention runs over context-parallel pieces and whose experts are spread over expert-parallel
ranks, and the encoders."""

import torch
import torch.nn.functional as F
from torch import nn

from reference.audio_encoder import AudioEncoder, projector
from reference.language_model import MLA, Layer, Mixture, RMSNorm
from reference.omni import AudioEmbeddings, AudioOutputLayers, embed
from reference.vision import VisionModel, VisionProjector

from .exchange import AllToAll, GatherSequence

MASKED = -1e9


class ContextMLA(MLA):
    """Queries are this rank's positions; keys and values come from everyone's latents, which are what a KV cache would
    hold."""

    def __init__(self, config, context):
        super().__init__(config)
        self.context, self.order = context, None

    def latent(self, x, positions):
        latent, key = super().latent(x, positions)
        if len(self.context) == 1:
            return latent, key
        both = GatherSequence.apply(torch.cat((latent, key), -1), self.context, self.order)
        return both.split((self.rank, self.rope), -1)


class SpreadMixture(Mixture):
    """`reference.language_model.Mixture` with its experts over the ranks of `group`, in blocks.

    An expert works on what each rank sent it by itself, and keeps the gradient of each apart: the sums are then the
    same, in the same order, as if every rank had had all experts (docs/spec/model.md §7.7: the accumulation order of
    two expert-parallel back ends aligned).
    """

    def __init__(self, config, group):
        super().__init__(config)
        self.group, self.each = group, config["n_routed_experts"] // len(group)
        self.all_experts = config["n_routed_experts"]
        first = group.me * self.each
        self.experts = nn.ModuleList(list(self.experts)[first : first + self.each])
        self.sources = None
        self.chosen = torch.zeros(self.router.classifier.out_features, dtype=torch.int64)

    def views(self):
        """For each sending rank leaf tensors that share the experts' weights and have gradients of their own."""
        if self.sources is None:
            self.sources = [
                [p.detach().requires_grad_(p.requires_grad) for p in self.experts.parameters()]
                for _ in self.group.ranks
            ]
        return self.sources

    def forward(self, x):
        flat = x.reshape(-1, x.shape[-1])
        index, weight = self.router(flat)
        self.chosen += torch.bincount(index.flatten(), minlength=len(self.chosen))
        rows, slots = zip(*((index == e).nonzero(as_tuple=True) for e in range(self.all_experts)))
        counts = torch.tensor([len(r) for r in rows])
        row, slot = torch.cat(rows), torch.cat(slots)
        given = counts.view(len(self.group), self.each)
        taken = torch.stack(self.group.all_to_all(list(given), [(self.each,)] * len(self.group), "experts"))
        sends, receives = given.sum(1).tolist(), taken.sum(1).tolist()
        came = AllToAll.apply(flat[row], self.group, sends, receives)
        done = torch.cat([self._expert(source, e, block) for source, e, block in self._blocks(came, taken)])
        back = AllToAll.apply(done, self.group, receives, sends)
        out = torch.zeros_like(flat).index_add(0, row, back * weight[row, slot, None])
        identity = (weight * (index >= self.all_experts)).sum(-1, keepdim=True)
        return (out + identity * flat).view_as(x)

    def _blocks(self, came, taken):
        """What came lies sender by sender, each by ascending expert."""
        blocks = came.split(taken.flatten().tolist())
        for i, block in enumerate(blocks):
            yield i // self.each, i % self.each, block

    def _expert(self, source, e, x):
        gate, up, down = self.views()[source][3 * e : 3 * e + 3]
        return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)


class Stage(nn.Module):
    """One pipeline stage on one rank: its layers, on the first the embeddings, on the last the norm and the heads."""

    def __init__(self, config, layout, rank, context, expert_group):
        super().__init__()
        lm, codes = config["language_model"], config["code_vocab"]
        self.config, self.layout, self.context = lm, layout, context
        _, self.index, _ = layout.place(rank)
        self.first, self.last = self.index == 0, self.index == layout.pp - 1
        each = lm["num_layers"] // layout.pp
        self.layers = nn.ModuleList(Layer(lm) for _ in range(each))
        for layer in self.layers:
            layer.self_attn = nn.ModuleList(ContextMLA(lm, context) for _ in range(2))
            layer.mlp = SpreadMixture(lm, expert_group)
        if self.first:
            self.embed_tokens = nn.Embedding(lm["vocab_size"], lm["hidden_size"])
            self.audio = AudioEmbeddings(codes, lm["hidden_size"])
        if self.last:
            self.norm = RMSNorm(lm["hidden_size"], lm["rms_norm_eps"])
            self.lm_head = nn.Linear(lm["hidden_size"], lm["vocab_size"], bias=False)
            self.heads = AudioOutputLayers(codes, lm["hidden_size"])

    def expert_parameters(self):
        return [p for layer in self.layers for p in layer.mlp.experts.parameters()]

    def dense_parameters(self):
        experts = {id(p) for p in self.expert_parameters()}
        return [p for p in self.parameters() if id(p) not in experts]

    def embeddings(self, batch, features):
        """Whole sequence [1, T, d]; `features` [K, d] in reading order, or None."""
        return embed(self.embed_tokens, self.audio, batch["text"][None], batch["codes"][None], features)

    def run(self, x, positions, order, length):
        """x [1, T/cp, d], at `positions`; `order`: positions of all context ranks one after the other."""
        mask = torch.zeros(len(positions), length).masked_fill(positions[:, None] < torch.arange(length)[None], MASKED)
        for layer in self.layers:
            for attention in layer.self_attn:
                attention.order = order
            x = layer(x, positions, mask, (None, None))
        return x

    def loss(self, x, batch, positions):
        """Weighted sum of cross entropies over this rank's positions: text, and the four code heads
        (teacher-forced)."""
        hidden = self.norm(x)[0]
        target = batch["target"][positions]
        total = (F.cross_entropy(self.lm_head(hidden), target, reduction="none") * batch["weight"][positions]).sum()
        codes, weights = batch["code_target"][positions], batch["code_weight"][positions]
        known = weights.sum(1).nonzero()[:, 0]
        if len(known):
            for i, logits in enumerate(self.heads(hidden[known], codes[known])):
                total = total + (F.cross_entropy(logits, codes[known, i], reduction="none") * weights[known, i]).sum()
        return total


class Encoders(nn.Module):
    """Both encoders with their projectors."""

    def __init__(self, config):
        super().__init__()
        self.vision = nn.ModuleDict(
            {"model": VisionModel(config["vision"]), "projector": VisionProjector(config["vision"])}
        )
        self.audio = nn.ModuleDict({"model": AudioEncoder(config["audio"]), "projector": projector(config["audio"])})
        del self.audio["model"].output  # the CTC head has no part in this training

    def forward(self, kind, data):
        """One item: vision [2, 3, h, w] pixels, audio [T, splice] -> [tokens, hidden]."""
        if kind == "vision":
            return self.vision["projector"](self.vision["model"](data[None])[0])[0]
        return self.audio["projector"](self.audio["model"](data[None]))[0]
