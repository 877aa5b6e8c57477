"""What the check and the measurements let the ranks do; each function runs on every rank of a layout."""

import os
import time

import torch

from .bridge import Bridge, Plan
from .data import global_batch
from .encoders import Context
from .exchange import TRAFFIC
from .memory import allocations, by_span, held_by, peak
from .record import RECORDER
from .step import Trainer


def train(rank, settings, steps, gradients=True):
    """-> {"losses": [...], "gradients": [{name: array} a step]} of this rank. (Arrays, since tensors in a pipe cost a
    file descriptor each.)"""
    trainer = Trainer(settings, rank)
    losses, all_gradients = [], []
    for _ in range(steps):
        losses.append(trainer.step()["loss"])
        if gradients:
            all_gradients.append({name: g.numpy().copy() for name, g in trainer.named_gradients().items()})
    return {"losses": losses, "gradients": all_gradients}


def bridge_memory(rank, layout, config, tokens, chunks):
    """A bridge of so many tokens a rank, there and back. -> {"peak", "stored": bytes, "sum": what came}, measured by
    the allocator."""
    context = Context(config, layout, rank)
    hidden, inner = context.hidden, len(context.inner)
    plan = Plan([[i] for i in range(inner)], [tokens] * inner, chunks)
    mine = torch.arange(tokens * hidden, dtype=torch.float32).view(tokens, hidden) + context.inner.me * 1e6
    bridge = Bridge(plan, context.inner, context.stage0, hidden)
    cross = lambda: bridge.forward(mine, context.stage0_ranks)
    # Watching costs seconds at its first use, so only the rank that gathers is watched.
    _, most, stored = peak(cross) if rank == 0 else (cross(), 0, 0)
    digest = None if bridge.storage is None else bridge.embeddings_of(list(range(inner)))
    return {"peak": most, "stored": stored, "came": digest, "buffer": bridge.largest_buffer}


def figure(rank, settings):
    """One step of Figure 9's example; -> the embeddings of every micro-batch as stage 0 gets them, and as they were
    encoded."""
    trainer = Trainer(settings, rank)
    got, encoded = {}, {}
    encoders, features, forward = trainer.encoders, trainer.encoders.features, trainer.encoders.encoders.forward

    def features_of(numbers):
        out = features(numbers)
        got[tuple(numbers)] = out.detach().clone()
        return out

    def encode(kind, data):
        out = forward(kind, data)
        if not torch.is_grad_enabled():
            encoded[encoders.mine[len(encoded)]] = out.clone()
        return out

    encoders.features, encoders.encoders.forward = features_of, encode
    loss = trainer.step()["loss"]
    return {"got": got, "encoded": encoded, "loss": loss}


def frozen(rank, settings, steps):
    """-> (losses, names of what moved) of this rank's weights."""
    trainer = Trainer(settings, rank)
    names = {trainer._whole_name(name): p for name, p in trainer.stage.named_parameters()}
    before = {name: p.detach().clone() for name, p in names.items()}
    shards = {kind: w.shard.clone() for kind, w in trainer.encoders.weights.items()}
    losses = [trainer.step()["loss"] for _ in range(steps)]
    moved = {name for name, p in names.items() if not torch.equal(p.detach(), before[name])}
    moved |= {
        f"encoders.{kind}" for kind, w in trainer.encoders.weights.items() if not torch.equal(w.shard, shards[kind])
    }
    return losses, moved


def measured(rank, settings, steps, watched):
    """Timed steps, and one under the allocator's watch if asked. -> {"spans": [[span] a step], "traffic": [{"ends",
    "bytes", "threadMs", "everyone": processors that all programs of the machine took} a step], "weighed": [span],
    "static", "peak": bytes}"""
    trainer = Trainer(settings, rank)
    trainer.step()  # the first makes what stays: the optimiser's first step, connections
    together = lambda: trainer.world.sum_integers(torch.ones(1, dtype=torch.int64), "metadata")
    spans, traffic, weighed, most = [], [], [], 0
    RECORDER.on = True

    def one():
        RECORDER.spans = []
        with RECORDER.span("step"):
            trainer.step()
        return RECORDER.spans

    for _ in range(steps):
        trainer.step_number = 1  # the same micro-batches each time, with other weights
        together()
        TRAFFIC.clear()
        begun, everyone = time.perf_counter(), everyone_s()
        spans.append(one())
        together()
        traffic.append(
            {
                "ends": TRAFFIC.ends,
                "bytes": TRAFFIC.bytes,
                "threadMs": TRAFFIC.thread_s * 1e3,
                "everyone": (everyone_s() - everyone) / (time.perf_counter() - begun),
            }
        )
    if watched:
        trainer.step_number = 1
        together()
        weighed, course = allocations(one)
        by_span(weighed, course)
        most = max(held for _, held in course)
    RECORDER.on = False
    return {"spans": spans, "traffic": traffic, "weighed": weighed, "static": static_bytes(trainer), "peak": most}


def everyone_s():
    """Processor's time that all programs of this machine have had."""
    with open("/proc/stat", encoding="ascii") as file:
        return sum(map(int, file.readline().split()[1:4])) / os.sysconf("SC_CLK_TCK")


def static_bytes(trainer):
    """Weights, optimisers and shards that a rank keeps between steps."""
    parts = [part for part in (trainer.dense_weights, trainer.expert_weights) if part]
    tensors = [t for part in parts for t in (part.flat.vector, part.adam.m, part.adam.v)]
    for weights in trainer.encoders.weights.values():
        tensors += [weights.shard, weights.adam.m, weights.adam.v]
    return held_by(tensors)


def spun(rank, seconds):
    """Processor's time that a process gets of a second of the clock: what is left of the machine."""
    begun, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        pass
    return (time.process_time() - cpu) / (time.perf_counter() - begun)


def processor(rank):
    """Which one this rank is bound to, counted from 0."""
    (only,) = os.sched_getaffinity(0)
    return only


def parameters(rank, settings):
    """Counts that memory is computed from, of one rank that has everything."""
    trainer = Trainer(settings, rank)
    count = lambda modules: sum(p.numel() for m in modules for p in m.parameters())
    stage, layer = trainer.stage, trainer.stage.layers[0]
    experts = count([layer.mlp.experts])
    return {
        "layerDense": count([layer]) - experts,
        "layerExperts": experts,
        "first": count([stage.embed_tokens, stage.audio]),
        "last": count([stage.norm, stage.lm_head, stage.heads]),
        "encoders": {kind: w.flat.length for kind, w in trainer.encoders.weights.items()},
    }


def workload(rank, settings):
    """What the measured step works on: items of each micro-batch in tokens, and numbers a position that attention and
    experts exchange."""
    trainer = Trainer(settings, rank)
    lm, batches = (
        trainer.config["language_model"],
        global_batch(settings.stage, settings.seed, 1, settings.micro_batches, trainer.config["code_vocab"]),
    )
    return {
        "items": [[item.tokens for item in batch.items] for batch in batches],
        "latent": lm["kv_lora_rank"] + lm["qk_rope_head_dim"],
        "choices": lm["moe_topk"],
    }
