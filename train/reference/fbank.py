"""Log mel filter bank, CMVN and splice (spec 3.1, 3.2); also the front end of the semantic encoder (4.2)."""

import math

import torch
import torch.nn.functional as F

DEFAULT = {
    "frame_length": 25,
    "frame_shift": 10,
    "preemphasis": 0.97,
    "freq": 16000,
    "low_freq": 40,
    "high_freq": -200,
    "num_mel_bins": 80,
    "dither": 0.0,
}
FLOOR = 1.1920929e-07
CMVN_EPS = 1.19e-7


def mel(frequency):
    return 1127.0 * torch.log1p(torch.as_tensor(frequency, dtype=torch.float64) / 700.0)


def mel_weights(bins, size, rate, low, high):
    """[bins, size/2 + 1] triangles, linear in mel; the Nyquist column stays 0."""
    high = high if high > 0 else rate / 2 + high
    edges = torch.linspace(float(mel(low)), float(mel(high)), bins + 2, dtype=torch.float64)
    at = mel(torch.arange(size // 2, dtype=torch.float64) * rate / size)[None]
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangle = torch.minimum((at - left) / (centre - left), (right - at) / (right - centre)).clamp(min=0)
    return F.pad(triangle, (0, 1)).float()


def fbank(signal, scale, config=None):
    """signal [..., N] in [-1, 1] -> [..., T, bins], T = 1 + (N - frame) // hop."""
    c = {**DEFAULT, **(config or {})}
    frame, hop = c["freq"] * c["frame_length"] // 1000, c["freq"] * c["frame_shift"] // 1000
    size = 1 << (frame - 1).bit_length()
    x = (signal * scale).unfold(-1, frame, hop)
    x = x - c["preemphasis"] * torch.cat((x[..., :1], x[..., :-1]), -1)
    window = torch.hann_window(frame, periodic=False, dtype=torch.float64).pow(0.85).float().to(x.device)
    power = torch.fft.rfft(F.pad(x * window, (0, size - frame))).abs().pow(2)
    weights = mel_weights(c["num_mel_bins"], size, c["freq"], c["low_freq"], c["high_freq"]).to(x.device)
    return (power @ weights.T).clamp(min=FLOOR).log()


def cmvn(features, stats):
    """stats: [[sum x ..., count], [sum x^2 ..., 0]] as in global_cmvn.json."""
    stats = torch.as_tensor(stats, dtype=torch.float64)
    count = stats[0, -1]
    mean = stats[0, :-1] / count
    deviation = (stats[1, :-1] / count - mean * mean).clamp(min=0).sqrt().clamp(min=CMVN_EPS)
    return (features - mean.float().to(features.device)) / deviation.float().to(features.device)


def statistics(features):
    """Features [T, bins] -> the `stats` matrix of global_cmvn.json."""
    x = features.double()
    ends = torch.tensor([[float(len(x))], [0.0]], dtype=torch.float64)
    return torch.cat((torch.stack((x.sum(0), (x * x).sum(0))), ends), 1).tolist()


def splice(features, left=7, right=7, stride=8):
    """[..., T, bins] -> [..., ceil(T / stride), bins * (left + 1 + right)], oldest frame first, edges repeated."""
    length = features.shape[-2]
    centre = torch.arange(math.ceil(length / stride)) * stride
    index = (centre[:, None] + torch.arange(-left, right + 1)).clamp(0, length - 1)
    return features[..., index, :].flatten(-2)
