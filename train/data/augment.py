"""What happens to a voice between mouth and recogniser: level, noise, rooms, telephones, lost packets (numpy, 16
kHz)."""

import functools
import math

import numpy as np
import scipy.fft
from scipy.signal import butter, firwin, lfilter, resample_poly

PACKET = 320  # 20 ms
TELEPHONE_BAND = butter(3, (300 / 4000, 3400 / 4000), "band")
MU_LAW = (256 ** (np.arange(128) / 127) - 1) / 255
MU_LAW = np.concatenate((-MU_LAW[:0:-1], MU_LAW)).astype(np.float32)


@functools.lru_cache(None)
def anti_alias(most):
    """The filter of scipy's resample_poly, which designs it anew every time."""
    return firwin(20 * most + 1, 1 / most, window=("kaiser", 5.0)).astype(np.float32)


def resampled(x, up, down):
    """The filter is that of the ratio's lowest terms: scipy reduces the ratio, but no filter it is given."""
    common = math.gcd(int(up), int(down))
    up, down = int(up) // common, int(down) // common
    if up == down:
        return x.astype(np.float32)
    return resample_poly(x, up, down, window=anti_alias(max(up, down))).astype(np.float32)


def gain(x, rng):
    return np.clip(x * 10 ** (rng.uniform(-18, 6) / 20), -1, 1)


def noise(x, rng, snr_db=None):
    """Coloured noise: white through a random one-pole filter."""
    snr_db = rng.uniform(8, 30) if snr_db is None else snr_db
    pole = np.array([1, -rng.uniform(0, 0.97)], np.float32)
    hiss = lfilter(np.ones(1, np.float32), pole, rng.normal(size=len(x)).astype(np.float32))
    scale = np.sqrt((x**2).mean() / (hiss**2).mean() / 10 ** (snr_db / 10) + 1e-12)
    return np.clip(x + np.float32(scale) * hiss, -1, 1)


def reverb(x, rng):
    seconds = rng.uniform(0.1, 0.5)
    n = int(seconds * 16000)
    tail = rng.normal(size=n) * np.exp(-6.9 * np.arange(n) / n) * rng.uniform(0.02, 0.12)
    tail[0] = 1
    size = scipy.fft.next_fast_len(len(x) + n, real=True)
    spectrum = scipy.fft.rfft(x, size) * scipy.fft.rfft(tail.astype(np.float32), size)
    wet = scipy.fft.irfft(spectrum, size)[: len(x)]
    return wet / max(1.0, np.abs(wet).max())


def telephone(x, rng):
    """8 kHz, 300-3400 Hz, mu-law with 8 bits."""
    narrow = np.clip(lfilter(*TELEPHONE_BAND, resampled(x, 1, 2)), -1, 1)
    code = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127).astype(int)
    return resampled(MU_LAW[code + 127], 2, 1)[: len(x)]


def packet_loss(x, rng):
    lost = np.repeat(rng.uniform(size=-(-len(x) // PACKET)) < 0.03, PACKET)[: len(x)]
    return np.where(lost, 0, x)


def degrade(x, rng):
    """A random chain, half of the time none at all."""
    if rng.uniform() < 0.5:
        return gain(x, rng).astype(np.float32)
    for effect, chance in ((reverb, 0.4), (noise, 0.7), (telephone, 0.3), (packet_loss, 0.15), (gain, 0.8)):
        if rng.uniform() < chance:
            x = effect(x, rng)
    return x.astype(np.float32)


def surround(x, rng):
    """Silence before and after: an utterance never starts at its first sample."""
    before, after = rng.integers(800, 9600), rng.integers(800, 9600)
    floor = rng.normal(size=before + len(x) + after) * 10 ** rng.uniform(-5, -3)
    floor[before : before + len(x)] += x
    return floor.astype(np.float32)
