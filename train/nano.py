"""Dimensions of nano: the topology of the full model, spec 9 retuned (12 M parameters at most)."""

HIDDEN = 192
VOCAB = 1024
CODE_VOCAB = 32 + 256
BLANK = 0  # of the word head

LANGUAGE_MODEL = {
    "architectures": ["LongcatFlashForCausalLM"],
    "model_type": "longcat_flash",
    "hidden_size": HIDDEN,
    "num_layers": 4,
    "num_attention_heads": 4,
    "q_lora_rank": 64,
    "kv_lora_rank": 48,
    "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 16,
    "v_head_dim": 32,
    "head_dim": 16,
    "ffn_hidden_size": 256,
    "expert_ffn_hidden_size": 64,
    "n_routed_experts": 16,
    "zero_expert_num": 8,
    "zero_expert_type": "identity",
    "moe_topk": 4,
    "routed_scaling_factor": 2.0,
    "norm_topk_prob": False,
    "router_bias": False,
    "attention_bias": False,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "mla_norm_eps": 1e-6,
    "mla_scale_q_lora": True,
    "mla_scale_kv_lora": True,
    "rope_theta": 10000.0,
    "max_position_embeddings": 1536,
    "vocab_size": VOCAB,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 3,
    "wait_token_id": 144,
    "tie_word_embeddings": False,
    "initializer_range": 0.02,
}
REAL_EXPERTS_PER_TOKEN = 8 / 3

FBANK = {
    "frame_length": 25,
    "frame_shift": 10,
    "preemphasis": 0.97,
    "freq": 16000,
    "low_freq": 40,
    "high_freq": -200,
    "num_mel_bins": 80,
    "dither": 0.0,
}
PREPROCESSOR = {
    "fbank": FBANK,
    "delta": {"order": 0},
    "cmvn": {"file": "global_cmvn.json"},
    "splice": {"left": 7, "right": 7, "stride": 8},
}
AUDIO = {
    "input_size": 1200,
    "hidden_size": 384,
    "proj_size": 160,
    "nlayer": 12,
    "num_right_layers": 3,
    "left_order": 10,
    "right_order": 1,
    "left_stride": 1,
    "right_stride": 1,
    "ndnn": 2,
    "vocab_size": 0,
    "activation": "relu6",
    "proj_output_dim": HIDDEN,
}  # vocab_size: blank and the domain's words, filled in by `audio_config`

_CODEC = {
    "codec_dimension": 64,
    "semantic_dim": 64,
    "semantic_token_nums": 256,
    "codec_codebooks": 3,
    "codec_codebook_size": 16,
    "codec_codebook_search_dim": 8,
}
CODEC = {
    "codec_config": {
        **_CODEC,
        "decoder_dim": 256,
        "codec_dec_ratios": [8, 6, 6, 5],
        "decoder_type": "24k",
        "ckpt_path": "decoder.safetensors",
    },
    "encoder": {
        "codec_config": {
            "input_sample_rate": 16000,
            "encoder_dim": 8,
            "codec_enc_ratios": [4, 5, 6, 8],
            **_CODEC,
            "ckpt_path": "encoder.safetensors",
        },
        "semantic_tokenizer_config": {
            "select_layer": 2,
            "codebook_dim": 96,
            "codebook_size": 256,
            "sample_rate": 16000,
        },
        "semantic_tokenizer": {
            "feature": {"fbank": FBANK, "cmvn_file": "encoder_cmvn.json"},
            "encoder": {
                "type": "VGGtf_encoder",
                "VGGtf_encoder": {
                    "feat_dim": 80,
                    "conv2d_stride": "2,3",
                    "num_conv_layers": 2,
                    "d_model": 96,
                    "nhead": 4,
                    "num_encoder_layers": 2,
                    "dim_feedforward": 256,
                    "activation": "gelu",
                },
            },
        },
    },
}

VISION = {
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 288,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "num_channels": 3,
    "layer_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "qk_normalization": True,
    "qkv_bias": False,
    "patch_embedding_bias": True,
    "adaptor_dim": 256,
    "proj_output_dim": HIDDEN,
    "resize_factor": 8,
    "spatial_merge_size": 1,
    "min_tokens": 64,
    "max_tokens": 96,
    "min_tokens_video_vit": 64,
    "max_tokens_video_vit": 192,
    "min_tokens_video": 16,
    "max_tokens_video": 96,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def audio_config(words):
    return {**AUDIO, "vocab_size": 1 + len(words)}
