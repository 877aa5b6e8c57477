"""Audio encoder fixtures: samples -> filter bank -> CMVN -> splice -> FSMN -> projector, whole utterances."""

import torch

from reference.audio_encoder import AudioEncoder, projector
from reference.fbank import cmvn, fbank, splice, statistics
from .common import randomise, state, write_json, write_tensors
from .signals import voice_like

PREPROCESSOR = {
    "fbank": {
        "frame_length": 25,
        "frame_shift": 10,
        "preemphasis": 0.97,
        "freq": 16000,
        "low_freq": 40,
        "high_freq": -200,
        "num_mel_bins": 80,
        "dither": 0.0,
    },
    "delta": {"order": 0},
    "cmvn": {"file": "global_cmvn.json"},
    "splice": {"left": 7, "right": 7, "stride": 8},
}
CONFIG = {
    "input_size": 1200,
    "hidden_size": 14,
    "proj_size": 12,
    "nlayer": 3,
    "num_right_layers": 2,
    "left_order": 4,
    "right_order": 1,
    "left_stride": 1,
    "right_stride": 1,
    "ndnn": 2,
    "vocab_size": 10,
    "activation": "relu6",
    "proj_output_dim": 16,
}


def cases():
    return {
        "one-second": lambda folder: write(folder, voice_like(1.0, seed=21), seed=21),
        "odd-length": lambda folder: write(folder, voice_like(0, seed=22, samples=12345), seed=22),
        "full-left-order": lambda folder: write(folder, voice_like(0.85, seed=23), seed=23, left_order=10),
    }


@torch.no_grad()
def write(folder, signal, seed, **changes):
    config = {**CONFIG, **changes}
    encoder, project = AudioEncoder(config).eval(), projector(config).eval()
    randomise(encoder, seed, gain=1.4)
    randomise(project, seed + 1, gain=1.4)
    features = fbank(signal, 32768)
    stats = statistics(fbank(voice_like(2.0, seed=99), 32768))
    normal = cmvn(features, stats)
    spliced = splice(normal)
    hidden = encoder(spliced[None])
    write_json(folder, "audio/config.json", config)
    write_json(folder, "audio/preprocessor_config.json", PREPROCESSOR)
    write_json(folder, "audio/global_cmvn.json", {"stats": stats})
    write_tensors(folder, "audio/audio_encoder.safetensors", state(encoder))
    write_tensors(folder, "audio/audio_projector.safetensors", state(project))
    write_tensors(
        folder,
        "case.safetensors",
        {
            "input.samples": signal,
            "output.fbank": features,
            "output.spliced": spliced,
            "output.encoder": hidden[0],
            "output.ctc": encoder.output(hidden)[0],
            "output.projector": project(hidden)[0],
        },
    )
