"""Batches of one shape in one array: conversations stand end to end in rows, so that hardly a position is padding, a
step can be recorded once as a CUDA graph, and a drawing process hands over one block of memory."""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from reference.omni import CODE_PAD, CODEBOOKS, TEXT_PAD
from stages.perception import KINDS

NOT_LEARNT = -100
TRIES = 24  # conversations that do not fit before a batch is taken as full


@dataclass(frozen=True)
class Shape:
    """Sizes of a batch: `rows` of `length` positions; at most so many positions with a text or code target or a
    feature."""

    rows: int = 4
    length: int = 512

    def __post_init__(self):
        n, at, fields = self.rows * self.length, 0, {}
        for name, shape in {
            "text": (n,),
            "codes": (n, CODEBOOKS),
            "position": (n,),
            "segment": (n,),
            "begin": (n,),
            "feature": (n,),
            "text_at": (n // 4,),
            "text_wanted": (n // 4,),
            "text_owner": (n // 4,),
            "code_at": (n // 2,),
            "code_acoustic": (n // 2,),
            "words": (n // 2,),
            "patches": (n // 2, 4),
            "ear": (n // 2,),
            "eye": (n // 2,),
        }.items():
            fields[name] = (at, shape)
            at += int(np.prod(shape))
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "size", at)

    def views(self, flat):
        """flat int32 [size] (numpy or torch) -> its named parts."""
        return {name: flat[at : at + int(np.prod(shape))].reshape(shape) for name, (at, shape) in self.fields.items()}


@dataclass
class Packer:
    """Fills batches with what `draw()` gives, until that is None. What does not fit waits for the next batch; what is
    longer than a row is left out."""

    shape: Shape
    draw: callable
    waiting: list = field(default_factory=list)

    def fill(self, flat):
        """Writes one batch into `flat`; -> the conversations in it, numbered as in `text_owner`."""
        view = self.shape.views(flat)
        flat[:] = 0
        view["text"][:], view["codes"][:], view["text_wanted"][:], view["text_owner"][:] = (
            TEXT_PAD,
            CODE_PAD,
            NOT_LEARNT,
            -1,
        )
        view["code_at"][:] = -1
        used, room, placed = dict.fromkeys(("texts", "code", *KINDS), 0), [self.shape.length] * self.shape.rows, []
        waiting, self.waiting, misses = self.waiting, [], 0
        while misses < TRIES:
            sequence = waiting.pop() if waiting else self.draw()
            if sequence is None:
                break
            if len(sequence) > self.shape.length:
                continue
            row = next((r for r in range(self.shape.rows) if room[r] >= len(sequence)), None)
            if row is None or not self._fits(sequence, used):
                misses += 1
                if len(self.waiting) < TRIES:
                    self.waiting.append(sequence)
                continue
            self._place(view, sequence, row * self.shape.length + self.shape.length - room[row], len(placed) + 1, used)
            room[row] -= len(sequence)
            placed.append(sequence)
        return placed

    def _fits(self, sequence, used):
        n = self.shape.rows * self.shape.length
        kinds = dict.fromkeys(KINDS, 0)
        for feature in sequence.features:
            kinds[feature.kind] += len(feature)
        return (
            used["texts"] + sum(sequence.learn_text) <= n // 4
            and used["code"] + sum(sequence.learn_semantic) <= n // 2
            and all(used[kind] + count <= n // 2 for kind, count in kinds.items())
        )

    def _place(self, view, sequence, at, number, used):
        here = slice(at, at + len(sequence))
        view["text"][here], view["codes"][here] = sequence.text, sequence.codes
        view["position"][here], view["segment"][here] = np.arange(len(sequence)), number
        view["begin"][here] = np.asarray(sequence.begins) + at
        self._place_targets(view, sequence, at, number, used)
        slots = at + sequence.slots()
        for feature in sequence.features:
            begin = used[feature.kind]
            view[feature.kind][begin : begin + len(feature)] = feature.data
            base = 1 + sum(len(view[k]) for k in KINDS[: KINDS.index(feature.kind)])
            view["feature"][slots[: len(feature)]] = base + np.arange(begin, begin + len(feature))
            slots, used[feature.kind] = slots[len(feature) :], begin + len(feature)

    @staticmethod
    def _place_targets(view, sequence, at, number, used):
        learnt = np.flatnonzero(sequence.learn_text)
        texts = slice(used["texts"], used["texts"] + len(learnt))
        view["text_at"][texts], view["text_wanted"][texts] = at + learnt - 1, np.asarray(sequence.text)[learnt]
        view["text_owner"][texts] = np.where(learnt >= sequence.begin, number - 1, -1)
        spoken = np.flatnonzero(sequence.learn_semantic)
        codes = slice(used["code"], used["code"] + len(spoken))
        view["code_at"][codes] = at + spoken - 1
        view["code_acoustic"][codes] = np.asarray(sequence.learn_acoustic)[spoken]
        used["texts"], used["code"] = texts.stop, codes.stop


def rotation(position, width, base):
    """-> (cos, sin) [..., width / 2] of the rotary angles."""
    frequency = base ** (-torch.arange(0, width, 2, dtype=torch.float32, device=position.device) / width)
    angle = position.float()[..., None] * frequency
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def attend(query, key, value, mask, scale):
    """[B, H, T, *]; one kernel where this PyTorch has it."""
    if hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        width, more = (
            value.shape[-1],
            query.shape[-1] - value.shape[-1],
        )  # the kernel without a table of all pairs wants one width
        return F.scaled_dot_product_attention(query, key, F.pad(value, (0, more)), attn_mask=mask, scale=scale)[
            ..., :width
        ]
    return (query @ key.transpose(-1, -2) * scale + mask).softmax(-1) @ value


def norm(module, x):
    if hasattr(torch.nn.functional, "rms_norm"):
        return torch.nn.functional.rms_norm(x, x.shape[-1:], module.weight, module.eps)
    return module(x)


def attention(m, x, cos, sin, mask):
    """`reference.language_model.MLA` on rows that hold several conversations."""
    rows, length, _ = x.shape
    query = (m.q_b_proj(norm(m.q_a_layernorm, m.q_a_proj(x))) * m.q_scale).view(rows, length, m.heads, -1)
    query = torch.cat((query[..., : m.nope], rotate(query[..., m.nope :], cos[:, :, None], sin[:, :, None])), -1)
    latent, key_rope = m.kv_a_proj_with_mqa(x).split((m.rank, m.rope), -1)
    kv = m.kv_b_proj(norm(m.kv_a_layernorm, latent) * m.kv_scale).view(rows, length, m.heads, -1)
    key_rope = rotate(key_rope, cos, sin)[:, :, None].expand(-1, -1, m.heads, -1)
    key, value = torch.cat((kv[..., : m.nope], key_rope), -1), kv[..., m.nope :]
    out = attend(*(t.transpose(1, 2) for t in (query, key, value)), mask, (m.nope + m.rope) ** -0.5)
    return m.o_proj(out.transpose(1, 2).flatten(2))


def hidden_states(lm, x, position, segment):
    """x [R, T, d], position and segment [R, T] -> hidden states after the final norm; no conversation sees another."""
    length, first = x.shape[1], lm.model.layers[0].self_attn[0]
    cos, sin = rotation(position, first.rope, first.base)
    past = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
    allowed = past & (segment[:, :, None] == segment[:, None, :])
    mask = torch.zeros(allowed.shape, device=x.device).masked_fill(~allowed, -1e9)[:, None]
    for layer in lm.model.layers:
        x = x + attention(layer.self_attn[0], norm(layer.input_layernorm[0], x), cos, sin, mask)
        n = norm(layer.post_attention_layernorm[0], x)
        shortcut = layer.mlp(n)
        x = x + layer.mlps[0](n)
        x = x + attention(layer.self_attn[1], norm(layer.input_layernorm[1], x), cos, sin, mask)
        x = x + layer.mlps[1](norm(layer.post_attention_layernorm[1], x)) + shortcut
    return norm(lm.model.norm, x)
