"""The golden reference (docs/spec/model.md §7.7): the same step by train/'s own modules in one process, without any of
the parallel code but the data and the weights' names."""

import torch
import torch.nn.functional as F

from reference.language_model import LanguageModel
from reference.omni import AudioEmbeddings, AudioOutputLayers, embed

from . import config as sizes
from .data import global_batch
from .model import Encoders
from .step import initialise


class Whole:
    def __init__(self, settings):
        config = settings.config or sizes.CONFIG
        self.settings, self.config = settings, config
        lm = {**config["language_model"], "rope_theta": settings.stage.rope_base}
        self.lm = LanguageModel(lm)
        self.audio, self.heads = (
            kind(config["code_vocab"], lm["hidden_size"]) for kind in (AudioEmbeddings, AudioOutputLayers)
        )
        self.encoders = Encoders(config)
        initialise(self.lm, settings.seed, lambda name: name.removeprefix("model."))
        for prefix, module in (("audio", self.audio), ("heads", self.heads), ("encoders", self.encoders)):
            initialise(module, settings.seed, lambda name, prefix=prefix: f"{prefix}.{name}")

    def step(self):
        """-> (loss, {name: gradient}) of the first step, micro-batch by micro-batch."""
        loss = 0.0
        for batch in global_batch(
            self.settings.stage, self.settings.seed, 0, self.settings.micro_batches, self.config["code_vocab"]
        ):
            part = self._loss(batch)
            part.backward()
            loss += float(part.detach())
        return loss, dict(self._gradients())

    def _loss(self, batch):
        t, splice = batch.tensors, self.config["audio"]["input_size"]
        encoded = [self.encoders(item.kind, item.read(splice)) for item in batch.items]
        x = embed(
            self.lm.model.embed_tokens,
            self.audio,
            t["text"][None],
            t["codes"][None],
            torch.cat(encoded) if encoded else None,
        )
        hidden = self.lm(x)[0]
        total = (F.cross_entropy(self.lm.lm_head(hidden), t["target"], reduction="none") * t["weight"]).sum()
        known = t["code_weight"].sum(1).nonzero()[:, 0]
        if len(known):
            codes, weights = t["code_target"][known], t["code_weight"][known]
            for i, logits in enumerate(self.heads(hidden[known], codes)):
                total = total + (F.cross_entropy(logits, codes[:, i], reduction="none") * weights[:, i]).sum()
        return total

    def _gradients(self):
        for prefix, module in (
            ("", self.lm),
            ("audio.", self.audio),
            ("heads.", self.heads),
            ("encoders.", self.encoders),
        ):
            for name, p in module.named_parameters():
                yield prefix + name.removeprefix("model."), torch.zeros_like(p) if p.grad is None else p.grad
