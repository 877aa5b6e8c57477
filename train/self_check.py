"""Checks the reference modules against the parameter counts of spec 0.2, at full size without touching the memory."""

import os
import sys

import torch
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reference.audio_encoder import AudioEncoder, projector
from reference.codec import CodecDecoder
from reference.codec_encoder import CodecEncoder
from reference.language_model import LanguageModel, activated_parameters
from reference.vision import VisionModel, VisionProjector
from fixture_cases.language_model import CONFIG as TINY

LLM = dict(
    hidden_size=6144,
    num_layers=28,
    num_attention_heads=64,
    q_lora_rank=1536,
    kv_lora_rank=512,
    qk_nope_head_dim=128,
    qk_rope_head_dim=64,
    v_head_dim=128,
    ffn_hidden_size=12288,
    expert_ffn_hidden_size=2048,
    n_routed_experts=512,
    zero_expert_num=256,
    vocab_size=131072,
)
AUDIO = dict(
    input_size=1200,
    hidden_size=6144,
    proj_size=1536,
    nlayer=22,
    num_right_layers=6,
    left_order=10,
    right_order=1,
    ndnn=2,
    vocab_size=5252,
    proj_output_dim=6144,
)
VISION = dict(
    hidden_size=1280,
    num_hidden_layers=32,
    num_attention_heads=16,
    intermediate_size=5184,
    patch_size=14,
    temporal_patch_size=2,
    num_channels=3,
    layer_norm_eps=1e-6,
    rope_theta=1e4,
    adaptor_dim=7168,
    proj_output_dim=6144,
)
CODEC = dict(
    codec_dimension=1024,
    semantic_dim=1280,
    semantic_token_nums=8192,
    codec_codebooks=3,
    codec_codebook_size=90,
    codec_codebook_search_dim=8,
)
DECODER = dict(CODEC, decoder_dim=1536, codec_dec_ratios=[8, 6, 6, 5])
ENCODER = {
    "codec_config": dict(CODEC, encoder_dim=64, codec_enc_ratios=[4, 5, 6, 8]),
    "semantic_tokenizer_config": dict(codebook_dim=1280, codebook_size=8192),
    "semantic_tokenizer": {
        "feature": {"fbank": {}},
        "encoder": {
            "VGGtf_encoder": dict(
                feat_dim=80, conv2d_stride="2,3", d_model=1280, nhead=20, num_encoder_layers=26, dim_feedforward=5120
            )
        },
    },
}


def count(module):
    return sum(p.numel() for p in module.parameters()) / 1e6


def main():
    for name in [n for n in dir(nn.init) if n.endswith("_") and not n.startswith("_")]:
        setattr(nn.init, name, lambda tensor, *rest, **named: tensor)  # untouched pages cost no memory
    torch.randn = torch.empty
    tiny = LanguageModel(TINY)
    buffers = sum(b.numel() for b in tiny.buffers())
    whole, base, per_expert = (n / 1e3 for n in activated_parameters(LLM))
    encoder = AudioEncoder(AUDIO)
    codec = CodecEncoder(ENCODER)
    rows = [
        ("language model, tiny: module against formula", count(tiny) * 1e6 + buffers, activated_parameters(TINY)[0], 0),
        ("language model, M", whole / 1e3, 560660, 10),
        ("activated with 8 experts, M", (base + 8 * per_expert) / 1e3, 27150, 10),
        ("audio encoder without CTC head, M", count(encoder) - count(encoder.output), 479.9, 0.1),
        ("audio encoder with CTC head, M", count(encoder), 512.2, 0.1),
        ("audio projector, M", count(projector(AUDIO)), 75.5, 0.1),
        ("vision encoder, M", count(VisionModel(VISION)), 636.55, 0.01),
        ("vision projector, M", count(VisionProjector(VISION)), 113.8, 0.1),
        ("codec decoder, M", count(CodecDecoder(DECODER)), 150.9, 0.1),
        ("acoustic encoder, M", count(codec.encoder), 21.9, 0.2),
        ("semantic encoder, M", count(codec.semantic_tokenizer.model), 514.8, 0.2),
    ]
    for name, found, wanted, tolerance in rows:
        verdict = "ok" if abs(found - wanted) <= tolerance else "DIFFERS"
        print(f"{name:48} {found:12.2f} {wanted:12.2f} {verdict}")
    return any(abs(found - wanted) > tolerance for _, found, wanted, tolerance in rows)


if __name__ == "__main__":
    sys.exit(main())
