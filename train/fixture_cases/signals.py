"""Short deterministic test sounds that are neither silent nor stationary."""

import math

import torch


def voice_like(seconds, rate=16000, seed=0, samples=None):
    """A gliding harmonic tone with syllable-like loudness and a little noise, in [-1, 1]."""
    n = samples or int(seconds * rate)
    t = torch.arange(n, dtype=torch.float64) / rate
    f0 = 110 + 40 * torch.sin(2 * math.pi * 1.3 * t + seed)
    phase = 2 * math.pi * torch.cumsum(f0, 0) / rate
    tone = sum(torch.sin(k * phase) / k for k in range(1, 12))
    loudness = 0.05 + 0.95 * torch.sin(2 * math.pi * 2.1 * t + 0.4 * seed).pow(2)
    noise = torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (0.2 * tone * loudness + 0.01 * noise).clamp(-1, 1).float()
