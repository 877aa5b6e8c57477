"""Speech tokenizer fixtures: 16 kHz samples -> features, latents and the four codes."""

import torch

from reference.codec_encoder import CodecEncoder
from reference.fbank import fbank, statistics
from .codec import CONFIG, quieten
from .common import randomise, state, write_json, write_tensors
from .signals import voice_like


def cases():
    return {
        "half-second": lambda folder: write(folder, voice_like(0, seed=41, samples=960 * 8), seed=41),
        "odd-length": lambda folder: write(folder, voice_like(0, seed=42, samples=5001), seed=42),
    }


@torch.no_grad()
def write(folder, signal, seed):
    c = CONFIG["encoder"]
    encoder = CodecEncoder(c).eval()
    randomise(encoder, seed)
    quieten(encoder, 0.8)
    codebook = encoder.semantic_tokenizer.kmeans.codebook
    codebook.data.copy_(torch.nn.functional.normalize(codebook, dim=0))
    stats = statistics(fbank(voice_like(2.0, seed=99), CodecEncoder.SCALE))
    features = encoder.features(signal[None], stats)
    semantic = encoder.semantic_tokenizer.model(features)
    latent = encoder.encoder(encoder.pad(signal[None]))
    codes = encoder(signal[None], stats)
    write_json(folder, "audio_codec/config.json", CONFIG)
    write_json(folder, "audio_codec/encoder_cmvn.json", {"stats": stats})
    write_tensors(folder, "audio_codec/encoder.safetensors", state(encoder))
    write_tensors(
        folder,
        "case.safetensors",
        {
            "input.samples": signal,
            "output.features": features[0],
            "output.semantic": semantic[0],
            "output.latent": latent[0].T,
            "output.codes": codes[0].int(),
        },
    )
