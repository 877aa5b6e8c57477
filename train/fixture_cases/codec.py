"""The tiny codec configuration shared by decoder and tokenizer fixtures."""

SHARED = {
    "codec_dimension": 12,
    "semantic_dim": 10,
    "semantic_token_nums": 20,
    "codec_codebooks": 3,
    "codec_codebook_size": 5,
    "codec_codebook_search_dim": 4,
}
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
CONFIG = {
    "codec_config": {
        **SHARED,
        "decoder_dim": 32,
        "codec_dec_ratios": [8, 6, 6, 5],
        "decoder_type": "24k",
        "ckpt_path": "decoder.safetensors",
    },
    "encoder": {
        "codec_config": {
            "input_sample_rate": 16000,
            "encoder_dim": 2,
            "codec_enc_ratios": [4, 5, 6, 8],
            **SHARED,
            "ckpt_path": "encoder.safetensors",
        },
        "semantic_tokenizer_config": {"select_layer": 2, "codebook_dim": 8, "codebook_size": 20, "sample_rate": 16000},
        "semantic_tokenizer": {
            "feature": {"fbank": FBANK, "cmvn_file": "encoder_cmvn.json"},
            "encoder": {
                "type": "VGGtf_encoder",
                "VGGtf_encoder": {
                    "feat_dim": 80,
                    "conv2d_stride": "2,3",
                    "num_conv_layers": 2,
                    "d_model": 8,
                    "nhead": 2,
                    "num_encoder_layers": 2,
                    "dim_feedforward": 20,
                    "activation": "gelu",
                },
            },
        },
    },
}


def quieten(module, factor):
    """Residual chains of random convolutions would grow without bound and saturate the final tanh."""
    for name, p in module.named_parameters():
        if name.endswith("weight_g"):
            p.data.mul_(factor)
