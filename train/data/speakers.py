"""Who says a training question: one of flite's, RHVoice's or espeak-ng's voices, in a way of its own."""

import functools

from . import espeak, flite, rhvoice
from .augment import resampled

FLITE_SHARE, RHVOICE_SHARE, TAKES = 0.2, 0.2, 3
WIDE_SHARE, THROATS = 0.5, (80, 124)  # espeak-ng with any prosody, and played as by a record player of so much per cent


def takes(once, rng):
    """At several speeds, as a record player would play it."""
    say = functools.lru_cache(None)(once)
    return [lambda text, at=int(speed): resampled(say(text), at, 100) for speed in rng.integers(84, 118, TAKES)]


def speakers(rng, variants):
    """Voices as functions from text to samples. What is dear to say is said once and played at several speeds."""
    family = rng.uniform()
    if family < RHVOICE_SHARE:
        voice, rate, pitch = rng.choice(rhvoice.VOICES), rng.uniform(-0.4, 0.5), rng.uniform(-0.5, 0.5)
        return takes(lambda text: rhvoice.speak(text, voice, rate, pitch), rng)
    if family < RHVOICE_SHARE + FLITE_SHARE:
        voice = rng.choice(("rms", "slt", "kal16"))
        return takes(lambda text: flite.speak(text, voice)[0], rng)
    accent, variant = rng.choice(espeak.ACCENTS), rng.choice(variants)
    if rng.uniform() < WIDE_SHARE:
        throat = int(rng.integers(*THROATS))
        settings = rng.integers(110, 290) * throat / 100, rng.integers(5, 95), rng.integers(0, 99)
        return [lambda text: resampled(espeak.speak(text, accent, variant, *settings), throat, 100)]
    settings = rng.integers(120, 230), rng.integers(20, 80), rng.integers(20, 80)
    return [lambda text: espeak.speak(text, accent, variant, *settings)]
