"""What the language-model stages share: the modules, the losses of a packed batch, and the control of the expert
biases."""

import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from domain.tokenizer import Tokenizer
from paths import cache
from reference.audio_encoder import projector
from reference.language_model import LanguageModel
from reference.omni import CODE_OFFSET, CODEBOOKS, AudioEmbeddings, AudioOutputLayers, embed
from reference.vision import VisionProjector
from stages.experts import stack_experts
from stages.packed import NOT_LEARNT, hidden_states
from stages.perception import BLUR, patch_vectors

BIAS_RATE = 0.05
PENALTY, WINDOW = 1.1, 30
SOFTNESS = 1.5
TIE = 0.2  # how firmly the projectors are held to the imagined senses
CODE_NAMES = ("semantic", "first", "second", "third")


def modules():
    lm = stack_experts(LanguageModel(nano.LANGUAGE_MODEL))
    audio, heads = AudioEmbeddings(nano.CODE_VOCAB, nano.HIDDEN), AudioOutputLayers(nano.CODE_VOCAB, nano.HIDDEN)
    nn.init.normal_(lm.model.embed_tokens.weight, std=0.4)
    for table in [*audio.audio_embeddings, *heads.embedding]:
        nn.init.normal_(table.weight, std=0.2)
    return {
        "lm": lm,
        "audio": audio,
        "heads": heads,
        "projector": projector(nano.AUDIO),
        "vision_projector": VisionProjector(nano.VISION),
    }


def start_from(stages, parts):
    """Takes over what the first of `stages` that exists has trained; -> its name."""
    stage = next(s for s in stages if os.path.exists(cache(f"{s}.pt")))
    state = torch.load(cache(f"{stage}.pt"), map_location="cpu", weights_only=False)["modules"]
    for name in parts:
        parts[name].load_state_dict(state[name])
    print(f"starting from stage {stage}", flush=True)
    return stage


def tokenizer():
    return Tokenizer(cache("tokenizer.json"))


def feature_vectors(parts, batch, vectors, tables):
    """-> (vectors of all features, row 0 for none; how far the projectors are from the imagined senses)."""
    ear, eye = tables.ear[batch["ear"]].float(), tables.eye[batch["eye"]].float()
    module = parts["vision_projector"]
    heard, seen = parts["projector"](ear), module.proj(module.p0(eye))
    words, patches = F.embedding(batch["words"], vectors["words"]), patch_vectors(vectors, batch["patches"])
    none = heard.new_zeros(1, heard.shape[1])
    wanted = (
        tables.ear_share[batch["ear"]].float()[..., None] * vectors["words"][tables.ear_words[batch["ear"]].long()]
    ).sum(1)
    apart = [
        (heard - wanted.detach()).pow(2).sum(-1),
        (seen - patch_vectors(vectors, tables.eye_labels[batch["eye"]]).detach()).pow(2).sum(-1),
    ]
    here = [batch["ear"] > 0, batch["eye"] > 0]
    tie = sum((a * h).sum() / h.sum().clamp(min=1) for a, h in zip(apart, here))
    blur = lambda x: x + BLUR * torch.randn_like(x)
    return torch.cat((none, blur(words), blur(patches), heard, seen)), tie


def with_errors(codes, share):
    """A copy whose spoken input codes are partly wrong, so that a reply recovers from its own slips."""
    wrong = (torch.rand(codes.shape, device=codes.device) < share) & (codes >= CODE_OFFSET)
    return torch.where(wrong, torch.randint_like(codes, CODE_OFFSET, nano.CODE_VOCAB), codes)


def hidden_of(parts, shape, batch, vocabulary, tables, wrong_codes=0.0):
    """A packed batch (long tensors; rows are taken by `F.embedding`, whose gradient copes with many equal numbers) ->
    (hidden states [positions, d], distance of the projectors)."""
    vectors = vocabulary.vectors(parts["lm"])
    features, tie = feature_vectors(parts, batch, vectors, tables)
    codes = with_errors(batch["codes"], wrong_codes) if wrong_codes else batch["codes"]
    x = embed(parts["lm"].model.embed_tokens, parts["audio"], batch["text"][None], codes[None])[0]
    x = torch.where((batch["feature"] > 0)[:, None], F.embedding(batch["feature"], features), x)
    rows = lambda t: t.view(shape.rows, shape.length, *t.shape[1:])
    return hidden_states(parts["lm"], rows(x), rows(batch["position"]), rows(batch["segment"])).flatten(0, 1), tie


def softened(loss):
    """What is quite unknown pulls no harder than what is nearly known: a model that is sure of itself would lose all
    else for it."""
    return (1 + loss).log() * SOFTNESS


def text_loss(parts, batch, hidden, shown, soften=False):
    logits = parts["lm"].lm_head(F.embedding(batch["text_at"], hidden))
    target = batch["text_wanted"]
    known = target != NOT_LEARNT
    each = F.cross_entropy(logits, target, ignore_index=NOT_LEARNT, reduction="none")
    shown["text"] = each.sum() / known.sum().clamp(min=1)
    shown["text_right"] = ((logits.argmax(-1) == target) & known).sum() / known.sum().clamp(min=1)
    return softened(each).sum() / known.sum().clamp(min=1) if soften else shown["text"]


def recent_counts(codes, begin, at):
    """How often each id stood in the `WINDOW` positions up to and including `at`, within the reply: [learnt, codebooks,
    vocabulary]."""
    window = at[:, None] - torch.arange(WINDOW, device=at.device)
    inside = window >= begin[(at + 1).clamp(max=len(begin) - 1)][:, None]
    ids = torch.where(inside[..., None], codes[window.clamp(min=0)], torch.full_like(codes[:1, :1], nano.CODE_VOCAB))
    counts = torch.zeros(len(at), CODEBOOKS, nano.CODE_VOCAB + 1, device=at.device)
    counts.scatter_add_(2, ids.transpose(1, 2), torch.ones_like(ids, dtype=counts.dtype).transpose(1, 2))
    return counts[..., :-1]


def code_loss(parts, batch, hidden, shown, soften=False):
    """Cross entropy of the four heads on logits that carry the repetition penalty of the runtime.

    The runtime divides a repeated id's logit by 1.1 per repetition. Trained under it, the heads keep the right id
    ahead although speech repeats itself; without it every long vowel would be pushed off its code.
    """
    known = batch["code_at"] >= 0
    at = batch["code_at"].clamp(min=0)
    codes = batch["codes"][(at + 1).clamp(max=len(batch["codes"]) - 1)]
    logits = parts["heads"](F.embedding(at, hidden), codes)
    alpha = PENALTY ** recent_counts(batch["codes"], batch["begin"], at)
    total = 0
    for i, name in enumerate(CODE_NAMES):
        scores = torch.where(logits[i] < 0, logits[i] * alpha[:, i], logits[i] / alpha[:, i])
        use = known if i == 0 else known & (batch["code_acoustic"] > 0)
        count = use.sum().clamp(min=1)
        each = F.cross_entropy(scores, codes[:, i], reduction="none") * use
        loss = (softened(each) if soften else each).sum() / count
        shown[name + "_right"] = ((scores.argmax(-1) == codes[:, i]) & use).sum() / count
        total = total + loss * (1.0 if i == 0 else 0.5)
    shown["codes"] = total
    return total


def losses(parts, shape, batch, vocabulary, tables, wrong_codes, shown):
    hidden, shown["tie"] = hidden_of(parts, shape, batch, vocabulary, tables, wrong_codes)
    return text_loss(parts, batch, hidden, shown) + code_loss(parts, batch, hidden, shown) + TIE * shown["tie"]


@torch.no_grad()
def control_experts(lm, rate):
    """Moves the selection biases so that real experts get 2/3 of the choices, evenly (spec 1.4); -> identity share."""
    c = lm.config
    n, k = c["n_routed_experts"], c["moe_topk"]
    shares = []
    for layer in lm.model.layers:
        index = layer.mlp.last_index.flatten()
        used = torch.zeros(n + c["zero_expert_num"], device=index.device).scatter_add(
            0, index, torch.ones_like(index, dtype=torch.float32)
        )
        used = used / len(index)
        layer.mlp.router.e_score_correction_bias[:n] += (
            BIAS_RATE * rate * (nano.REAL_EXPERTS_PER_TOKEN / k / n - used[:n])
        )
        shares.append(used[n:].sum())
    return sum(shares) / len(shares)
