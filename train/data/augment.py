"""What happens to a voice between mouth and recogniser: level, noise, rooms, telephones, lost packets (numpy, 16 kHz)."""
import numpy as np
from scipy.signal import butter, lfilter, resample_poly

PACKET = 320  # 20 ms


def gain(x, rng):
    return np.clip(x * 10 ** (rng.uniform(-18, 6) / 20), -1, 1)


def noise(x, rng, snr_db=None):
    """Coloured noise: white through a random one-pole filter."""
    snr_db = rng.uniform(8, 30) if snr_db is None else snr_db
    hiss = lfilter([1], [1, -rng.uniform(0, 0.97)], rng.normal(size=len(x)))
    scale = np.sqrt((x ** 2).mean() / (hiss ** 2).mean() / 10 ** (snr_db / 10) + 1e-12)
    return np.clip(x + scale * hiss, -1, 1)


def reverb(x, rng):
    seconds = rng.uniform(0.1, 0.5)
    n = int(seconds * 16000)
    tail = rng.normal(size=n) * np.exp(-6.9 * np.arange(n) / n) * rng.uniform(0.02, 0.12)
    tail[0] = 1
    size = 1 << (len(x) + n).bit_length()
    wet = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(tail, size), size)[:len(x)]
    return wet / max(1.0, np.abs(wet).max())


def telephone(x, rng):
    """8 kHz, 300-3400 Hz, mu-law with 8 bits."""
    b, a = butter(3, (300 / 4000, 3400 / 4000), "band")
    narrow = np.clip(lfilter(b, a, resample_poly(x, 1, 2)), -1, 1)
    code = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    return resample_poly(np.sign(code) * (256 ** np.abs(code) - 1) / 255, 2, 1)[:len(x)]


def packet_loss(x, rng):
    x = x.copy()
    for at in range(0, len(x), PACKET):
        if rng.uniform() < 0.03:
            x[at:at + PACKET] = 0
    return x


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
    floor[before:before + len(x)] += x
    return floor.astype(np.float32)
