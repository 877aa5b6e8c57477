"""The filter bank of a whole recording at once, for training; the runtime's is reference/fbank.py."""

import functools

import torch

from reference.fbank import DEFAULT, FLOOR, mel_weights


@functools.lru_cache(None)
def bank():
    """The constants of `energies`."""
    window = torch.hann_window(400, periodic=False, dtype=torch.float64).pow(0.85).float() * 32768
    return window, mel_weights(80, 512, 16000, DEFAULT["low_freq"], DEFAULT["high_freq"]).T.contiguous()


def energies(samples):
    """reference.fbank at 16 kHz and scale 32768, faster: the window starts with 0, so that emphasis may run over the
    whole signal."""
    x = torch.from_numpy(samples)
    x = torch.cat((x[:1], x[1:] - DEFAULT["preemphasis"] * x[:-1]))
    window, weights = bank()
    spectrum = torch.fft.rfft(x.unfold(0, 400, 160) * window, 512)
    return ((spectrum.real**2 + spectrum.imag**2) @ weights).clamp(min=FLOOR).log().half().numpy()
