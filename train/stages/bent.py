"""What makes one voice another, on the filter bank: sounds held longer or shorter within a word, louder or softer
against each other, formants apart or together, a line's or a mouth's colour, and nothing above 4 kHz.

The voices of a synthesiser all say a word in one way; what is drawn here is about as much as people differ.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

BENT = 0.6  # share of utterances that are bent at all
PACES, PACE = 14, 0.3  # over an utterance; deviation of the logarithm of the pace
SWELLS, SWELL_DB = 24, 4.5
COLOURS, COLOUR_DB = 7, 4.5
BENDS, BEND_BINS = 5, 2.2
NARROW = 0.2  # share of utterances without the upper band
NARROW_BINS, NARROW_FLOOR = (54, 62), (-4.0, 8.0)  # 3.2 to 4.1 kHz; what is left above, a natural logarithm of energy
NATURAL = math.log(10) / 10  # of a decibel of energy


def draw(count, rng):
    """As arrays [count, ...]."""
    bent = (rng.uniform(size=(count, 1)) < BENT) * rng.uniform(0.3, 1.2, (count, 1))
    curve = lambda points, size: (rng.normal(size=(count, points)) * size * bent).clip(-2.5 * size, 2.5 * size)
    single = lambda low, high: rng.uniform(low, high, count)
    drawn = {
        "pace": np.exp(curve(PACES, PACE)),
        "swell": curve(SWELLS, SWELL_DB * NATURAL),
        "colour": curve(COLOURS, COLOUR_DB * NATURAL),
        "bend": curve(BENDS, BEND_BINS),
        "edge": np.where(single(0, 1) < NARROW, single(*NARROW_BINS), 1e3),
        "above": single(*NARROW_FLOOR),
    }
    return {name: value.astype(np.float32) for name, value in drawn.items()}


def along(curve, count):
    """[B, points] -> [B, count], straight between the points."""
    return F.interpolate(curve[:, None], size=count, mode="linear", align_corners=True)[:, 0]


def places(pace, longest, lengths, ends):
    """[B, longest]: the frame of the utterance (`lengths` of them) that each of its new frames (`ends`) comes from."""
    used = torch.arange(longest, device=pace.device)[None] < ends[:, None]
    steps = along(pace, longest) * used
    passed = steps.cumsum(1)
    return (passed - steps / 2) / passed[:, -1:] * lengths[:, None] - 0.5


def coloured(x, p):
    """x [B, T, bins]: swells over time, a colour over the bands."""
    return x + along(p["swell"], x.shape[1])[..., None] + along(p["colour"], x.shape[2])[:, None]


def narrowed(x, p):
    """Without what is above the edge of a line of 8 kHz."""
    ripple = (torch.empty_like(x).exponential_() + 1e-2).log() * 0.5
    over = torch.arange(x.shape[2], device=x.device)[None] > p["edge"][:, None]
    return torch.where(over[:, None], p["above"][:, None, None] + ripple, x)
