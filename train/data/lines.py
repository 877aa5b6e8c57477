"""What stronger lines and rooms do to a voice, for training only: bursts of lost packets with and without concealment,
telephones of other bands and laws, microphones, and other throats (numpy, 16 kHz). The conditions that `eval` measures
stay in `augment.py`."""

import numpy as np
from scipy.signal import butter, firwin2, lfilter

from .augment import MU_LAW, PACKET, TELEPHONE_BAND, degrade, gain, noise, resampled, reverb, surround

CONCEALED_FADE = 0.6  # each repetition of the last good packet is so much softer
A_LAW = 87.6
NARROW_SHARE = 0.15
EDGES = (0, 200, 500, 1000, 2000, 3500, 5500, 8000)  # Hz; where a microphone's response is drawn


def lost_packets(count, rng):
    """Gilbert–Elliott: bursts of one to six packets, 1 to 20 % in the mean."""
    share, burst = 10 ** rng.uniform(-2, -0.7), rng.uniform(1, 6)
    recover = 1 / burst
    fail = min(0.9, share * recover / (1 - share))
    dice, lost, bad = rng.uniform(size=count), np.zeros(count, bool), False
    for i in range(count):
        bad = dice[i] > recover if bad else dice[i] < fail
        lost[i] = bad
    return lost


def bursts(x, rng):
    """Lost packets as zeros, or as the packet before, softer each time."""
    packets = np.pad(x, (0, -len(x) % PACKET)).reshape(-1, PACKET).copy()
    concealed = rng.uniform() < 0.6
    lost = lost_packets(len(packets), rng)
    for i in np.flatnonzero(lost):
        packets[i] = packets[i - 1] * CONCEALED_FADE if concealed and i else 0
    return packets.reshape(-1)[: len(x)]


def a_law(x):
    size = np.abs(x)
    code = np.where(size < 1 / A_LAW, A_LAW * size, 1 + np.log(np.maximum(A_LAW * size, 1))) / (1 + np.log(A_LAW))
    code = np.round(code * 127) / 127 * (1 + np.log(A_LAW))
    return np.sign(x) * np.where(code < 1, code, np.exp(code - 1)) / A_LAW


def mu_law(x):
    return MU_LAW[np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * 127).astype(int) + 127]


def handset(x, rng):
    """8 kHz with edges as handsets have them, either law, some of them once more through another exchange."""
    band = (
        TELEPHONE_BAND
        if rng.uniform() < 0.3
        else butter(3, (rng.uniform(150, 400) / 4000, rng.uniform(2900, 3700) / 4000), "band")
    )
    narrow = np.clip(lfilter(*band, resampled(x, 1, 2)), -1, 1)
    for _ in range(1 if rng.uniform() < 0.8 else 2):
        narrow = (a_law if rng.uniform() < 0.5 else mu_law)(narrow)
    return resampled(narrow.astype(np.float32), 2, 1)[: len(x)]


def narrow(x, rng):
    """8 kHz with all that it holds up to its edge, either law or none, and the listener's own hiss over the band."""
    x = np.clip(resampled(x, 1, 2), -1, 1)
    law = (None, a_law, mu_law)[rng.integers(3)]
    x = resampled((law(x) if law else x).astype(np.float32), 2, 1)
    return x + rng.standard_normal(len(x), np.float32) * np.float32(10 ** rng.uniform(-5, -3.5))


def microphone(x, rng):
    """A smooth response of up to 9 dB either way."""
    response = 10 ** (np.cumsum(rng.normal(size=len(EDGES)) * 2.5).clip(-9, 9) / 20)
    return np.clip(lfilter(firwin2(65, np.array(EDGES) / 8000, response), 1, x), -1, 1)


def worn(x, rng, narrow_share=NARROW_SHARE):
    """What a line does to a voice: gently as before, or as lines can be."""
    if rng.uniform() < narrow_share:
        x = narrow(x, rng)
    if rng.uniform() < 0.6:
        return degrade(x, rng)
    for effect, chance in (
        (reverb, 0.3),
        (microphone, 0.5),
        (noise, 0.5),
        (handset, 0.4),
        (bursts, 0.4),
        (gain, 0.8),
    ):
        if rng.uniform() < chance:
            x = effect(x, rng)
    return x.astype(np.float32)


def no_speech(rng):
    """Hiss, hum, clicks, near silence."""
    n = int(16000 * rng.uniform(0.4, 2))
    x = rng.normal(size=n) * 10 ** rng.uniform(-4, -1)
    if rng.uniform() < 0.3:
        x = x * 0.1 + np.sin(np.arange(n) * rng.uniform(0.02, 0.6)) * 10 ** rng.uniform(-3, -0.7)
    if rng.uniform() < 0.3:
        x[rng.integers(0, n, 5)] += rng.uniform(-1, 1, 5)
    shape = np.interp(np.arange(n), np.linspace(0, n, 6), rng.uniform(0, 1, 6))
    return surround((x * shape).clip(-1, 1), rng)
