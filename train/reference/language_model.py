"""LongCat-Flash backbone: ScMoE decoder with MLA, float32 router and identity experts (spec 1.1-1.5, 1.11)."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        scale = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * (x.float() * scale).to(x.dtype)


class SwiGLU(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


def rope(x, positions, base):
    """Rotates adjacent pairs (2i, 2i+1) of the last axis; x: [..., T, r], positions: [T]."""
    width = x.shape[-1]
    frequency = base ** (-torch.arange(0, width, 2, dtype=torch.float32, device=x.device) / width)
    angle = positions.float()[:, None] * frequency
    cos, sin = angle.cos(), angle.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class MLA(nn.Module):
    """Multi-head latent attention (spec 1.3). `cache`, if given, is a dict holding latents and rotated keys."""

    def __init__(self, c):
        super().__init__()
        d, eps = c["hidden_size"], c.get("mla_norm_eps", 1e-6)
        self.heads, self.nope, self.rope, self.value = (
            c["num_attention_heads"],
            c["qk_nope_head_dim"],
            c["qk_rope_head_dim"],
            c["v_head_dim"],
        )
        self.rank, self.base = c["kv_lora_rank"], c["rope_theta"]
        self.q_scale = math.sqrt(d / c["q_lora_rank"]) if c.get("mla_scale_q_lora", True) else 1.0
        self.kv_scale = math.sqrt(d / self.rank) if c.get("mla_scale_kv_lora", True) else 1.0
        self.q_a_proj = nn.Linear(d, c["q_lora_rank"], bias=False)
        self.q_a_layernorm = RMSNorm(c["q_lora_rank"], eps)
        self.q_b_proj = nn.Linear(c["q_lora_rank"], self.heads * (self.nope + self.rope), bias=False)
        self.kv_a_proj_with_mqa = nn.Linear(d, self.rank + self.rope, bias=False)
        self.kv_a_layernorm = RMSNorm(self.rank, eps)
        self.kv_b_proj = nn.Linear(self.rank, self.heads * (self.nope + self.value), bias=False)
        self.o_proj = nn.Linear(self.heads * self.value, d, bias=False)

    def latent(self, x, positions):
        """What the KV cache holds per position: the normed, scaled latent and the rotated key."""
        c, kr = self.kv_a_proj_with_mqa(x).split((self.rank, self.rope), -1)
        return self.kv_a_layernorm(c) * self.kv_scale, rope(kr, positions, self.base)

    def forward(self, x, positions, mask, cache=None):
        batch, length, _ = x.shape
        q = self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x))) * self.q_scale
        q = q.view(batch, length, self.heads, -1).transpose(1, 2)
        q_nope, q_rope = q.split((self.nope, self.rope), -1)
        latent, key_rope = self.latent(x, positions)
        if cache is not None:
            if "latent" in cache:
                latent = torch.cat((cache["latent"], latent), 1)
                key_rope = torch.cat((cache["key_rope"], key_rope), 1)
            cache["latent"], cache["key_rope"] = latent, key_rope
        kv = self.kv_b_proj(latent).view(batch, latent.shape[1], self.heads, -1).transpose(1, 2)
        k_nope, value = kv.split((self.nope, self.value), -1)
        q = torch.cat((q_nope, rope(q_rope, positions, self.base)), -1)
        key = torch.cat((k_nope, key_rope[:, None].expand(-1, self.heads, -1, -1)), -1)
        score = q @ key.transpose(-1, -2) * (self.nope + self.rope) ** -0.5 + mask
        out = score.float().softmax(-1).to(value.dtype) @ value
        return self.o_proj(out.transpose(1, 2).flatten(2))


class Router(nn.Module):
    def __init__(self, c):
        super().__init__()
        outputs = c["n_routed_experts"] + c["zero_expert_num"]
        self.classifier = nn.Linear(c["hidden_size"], outputs, bias=False)
        self.register_buffer("e_score_correction_bias", torch.zeros(outputs))
        self.topk, self.scale = c["moe_topk"], c["routed_scaling_factor"]

    def forward(self, x):
        """x: [N, d] -> expert indices [N, k] and weights [N, k]; the bias takes part in the choice only."""
        p = F.linear(x.float(), self.classifier.weight.float()).softmax(-1)
        index = (p + self.e_score_correction_bias).topk(self.topk, -1).indices
        return index, self.scale * p.gather(1, index)


class Mixture(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.router = Router(c)
        self.experts = nn.ModuleList(
            SwiGLU(c["hidden_size"], c["expert_ffn_hidden_size"]) for _ in range(c["n_routed_experts"])
        )
        self.last_index = self.last_weight = None

    def forward(self, x):
        flat = x.reshape(-1, x.shape[-1])
        index, weight = self.router(flat)
        self.last_index, self.last_weight = index.detach(), weight.detach()
        out = torch.zeros_like(flat)
        for e, expert in enumerate(self.experts):  # ascending order, as the accumulation order is part of the result
            row, slot = (index == e).nonzero(as_tuple=True)
            if len(row):
                out = out.index_add(0, row, expert(flat[row]) * weight[row, slot, None].to(flat.dtype))
        identity = (weight * (index >= len(self.experts))).sum(-1, keepdim=True)
        return (out + identity.to(flat.dtype) * flat).view_as(x)


class Layer(nn.Module):
    """One logical layer: two attentions, two dense FFNs, one mixture that leaves early and joins late (spec 1.2)."""

    def __init__(self, c):
        super().__init__()
        d, eps = c["hidden_size"], c["rms_norm_eps"]
        self.input_layernorm = nn.ModuleList(RMSNorm(d, eps) for _ in range(2))
        self.post_attention_layernorm = nn.ModuleList(RMSNorm(d, eps) for _ in range(2))
        self.self_attn = nn.ModuleList(MLA(c) for _ in range(2))
        self.mlps = nn.ModuleList(SwiGLU(d, c["ffn_hidden_size"]) for _ in range(2))
        self.mlp = Mixture(c)

    def forward(self, x, positions, mask, cache):
        x = x + self.self_attn[0](self.input_layernorm[0](x), positions, mask, cache[0])
        n = self.post_attention_layernorm[0](x)
        shortcut = self.mlp(n)
        x = x + self.mlps[0](n)
        x = x + self.self_attn[1](self.input_layernorm[1](x), positions, mask, cache[1])
        return x + self.mlps[1](self.post_attention_layernorm[1](x)) + shortcut


class Backbone(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_layers"]))
        self.norm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])


class LanguageModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Backbone(config)
        self.lm_head = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)

    def new_cache(self):
        return [({}, {}) for _ in self.model.layers]

    def forward(self, x, cache=None, key_mask=None, keep=None):
        """Input vectors [B, T, d] -> hidden states after the final norm.

        cache: from `new_cache`, extended in place. key_mask: [B, T] bool, False rows are never attended to.
        keep: a list that receives every layer's output.
        """
        start = cache[0][0]["latent"].shape[1] if cache and "latent" in cache[0][0] else 0
        length = x.shape[1]
        positions = torch.arange(start, start + length, device=x.device)
        allowed = positions[:, None] >= torch.arange(start + length, device=x.device)[None]
        if key_mask is not None:
            allowed = allowed[None, None] & key_mask[:, None, None, :]
        mask = torch.zeros(allowed.shape, device=x.device).masked_fill(~allowed, -1e9)
        for i, layer in enumerate(self.model.layers):
            x = layer(x, positions, mask, cache[i] if cache else (None, None))
            if keep is not None:
                keep.append(x)
        return self.model.norm(x)


def activated_parameters(c):
    """(all, activated with zero experts, per real expert) parameter counts in numbers; used against the fact sheet
    (spec 0.2)."""
    d, h = c["hidden_size"], c["num_attention_heads"]
    q, kv = c["q_lora_rank"], c["kv_lora_rank"]
    nope, rot, v = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]
    attention = d * q + q + q * h * (nope + rot) + d * (kv + rot) + kv + kv * h * (nope + v) + h * v * d
    dense, expert = 3 * d * c["ffn_hidden_size"], 3 * d * c["expert_ffn_hidden_size"]
    outputs = c["n_routed_experts"] + c["zero_expert_num"]
    layer = 2 * attention + 2 * dense + 4 * d + outputs * d + outputs
    head = c["vocab_size"] * d
    base = c["num_layers"] * layer + d + head
    return base + head + c["num_layers"] * c["n_routed_experts"] * expert, base, c["num_layers"] * expert
