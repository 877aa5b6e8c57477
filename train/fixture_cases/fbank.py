"""Filter-bank fixtures: signal -> log mel energies at both input scales."""

import torch

from reference.fbank import fbank
from .common import write_json, write_tensors
from .signals import voice_like
from .audio_encoder import PREPROCESSOR


def cases():
    return {
        "half-second": lambda folder: write(folder, voice_like(0.5, seed=11)),
        "one-frame": lambda folder: write(folder, voice_like(0, seed=12, samples=400)),
        "silence-and-clipping": lambda folder: write(folder, edge()),
    }


def edge():
    loud = (voice_like(0.1, seed=13) * 20).clamp(-1, 1)
    return torch.cat((torch.zeros(1000), loud, torch.zeros(333)))


def write(folder, signal):
    write_json(folder, "preprocessor_config.json", PREPROCESSOR)
    write_tensors(
        folder,
        "case.safetensors",
        {
            "input.samples": signal,
            "output.scale_32768": fbank(signal, 32768),
            "output.scale_32767": fbank(signal, 32767),
        },
    )
