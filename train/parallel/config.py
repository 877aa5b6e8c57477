"""Nano's structure at a size of which a step takes tens of milliseconds. Only sizes differ from `train/nano.py`."""

import os
import sys

TRAIN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TRAIN)

import nano  # noqa: E402

HIDDEN = 32
CONFIG = {
    "language_model": {
        **nano.LANGUAGE_MODEL,
        "hidden_size": HIDDEN,
        "num_layers": 4,
        "num_attention_heads": 2,
        "q_lora_rank": 16,
        "kv_lora_rank": 8,
        "qk_nope_head_dim": 8,
        "qk_rope_head_dim": 4,
        "v_head_dim": 8,
        "head_dim": 4,
        "ffn_hidden_size": 64,
        "expert_ffn_hidden_size": 16,
        "n_routed_experts": 8,
        "zero_expert_num": 4,
        "moe_topk": 3,
        "vocab_size": 176,
        "max_position_embeddings": 512,
    },
    "code_vocab": 32 + 16,
    "vision": {
        **nano.VISION,
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "adaptor_dim": 32,
        "proj_output_dim": HIDDEN,
    },
    "audio": {
        **nano.AUDIO,
        "input_size": 60,
        "hidden_size": 48,
        "proj_size": 24,
        "nlayer": 3,
        "num_right_layers": 1,
        "left_order": 4,
        "vocab_size": 4,
        "proj_output_dim": HIDDEN,
    },
}
REAL_EXPERTS_SHARE = 2 / 3  # of a token's choices (docs/spec/model.md §9)


def sized(**changes):
    """CONFIG with sizes of the language model changed, the bridge's width with them."""
    lm = {**CONFIG["language_model"], **changes}
    width = {"proj_output_dim": lm["hidden_size"]}
    return {
        **CONFIG,
        "language_model": lm,
        "vision": {**CONFIG["vision"], **width},
        "audio": {**CONFIG["audio"], **width},
    }
