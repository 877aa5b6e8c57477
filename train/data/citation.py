"""Sentences of words that are each said by themselves: slowly, with an end to each, and silence or none between them.

So are words recorded one by one, and so speaks who is not understood. In sentences a word takes half as long, and an
ear that knows sentences alone hears *say or* for a slow *four*.
"""

import functools

import numpy as np

from domain.corpus import heard_words
from domain.words import number

from . import espeak, festival, flite, rhvoice
from .augment import resampled

SENTENCES_A_VOICE, MOST_WORDS = 60, 9
FAMILIES = (("espeak", 0.4), ("rhvoice", 0.32), ("flite", 0.18), ("festival", 0.1))
FESTIVAL_VOICES = ("kal", "rab", "don", "slt-hts")
NUMBERS_SHARE, PREFIX_SHARE = 0.5, 0.08
ANY_ORDER_SHARE, SUM_SHARE, SHORT_SHARE = 0.08, 0.6, 0.15  # of the sentences; the rest is any question
BARE_SHARE, BARE_WORDS = 0.6, 3  # of the sums: nothing but "two plus ten", where no word tells what comes next
SUM_KINDS, SHORT_WORDS = ("sum", "difference"), 5
NARROW_SHARE = 0.45  # over a line of 8 kHz
SHORT_KINDS = (*SUM_KINDS, "product", "compare", "order", "talk")
CLOSE_SHARE, CLOSE, APART = 0.4, (0.0, 0.08), (0.03, 0.5)  # seconds between words
LOUDNESS_DB, EDGE = 2.5, 80
NUMBERS = [number(n) for n in range(31)]
ALL_WORDS = heard_words()
WORDS = frozenset(ALL_WORDS)


@functools.lru_cache(2)
def of_festival(name, stretch):
    return dict(zip(sorted(WORDS), festival.speak_all(sorted(WORDS), name, stretch)))


def voice(rng, variants):
    """A voice as a function from one word to samples; every word has a melody of its own."""
    names, shares = zip(*FAMILIES)
    family, throat = rng.choice(names, p=shares), int(rng.integers(84, 120))
    played = lambda x: resampled(x, throat, 100)
    if family == "espeak":
        accent, variant = rng.choice(espeak.ACCENTS), rng.choice(variants)
        rate, pitch, span = rng.integers(80, 200) * throat / 100, rng.integers(10, 90), rng.integers(0, 99)
        near = lambda: np.clip(pitch + rng.integers(-12, 13), 0, 99)
        return lambda word: played(espeak.speak(word, accent, variant, max(80, rate), near(), span))
    if family == "rhvoice":
        name, rate, pitch = rng.choice(rhvoice.VOICES), rng.uniform(-0.6, 0.3), rng.uniform(-0.5, 0.5)
        return lambda word: played(rhvoice.speak(word, name, rate, np.clip(pitch + rng.uniform(-0.2, 0.2), -1, 1)))
    if family == "flite":
        name, stretch = rng.choice(("rms", "slt", "kal16")), rng.uniform(0.9, 1.6)
        return lambda word: played(flite.speak(word, name, stretch)[0])
    said = of_festival(str(rng.choice(FESTIVAL_VOICES)), 1.3)
    return lambda word: played(said[word])


def joined(waves, rng):
    """With silences between them, or hardly any; each as loud as it was about to be."""
    gap = CLOSE if rng.uniform() < CLOSE_SHARE else APART
    pieces = [np.zeros(int(rng.uniform(0.05, 0.6) * 16000), np.float32)]
    for wave in waves:
        pieces += [wave * 10 ** (rng.normal() * LOUDNESS_DB / 20), np.zeros(int(rng.uniform(*gap) * 16000), np.float32)]
    x = np.concatenate([*pieces, np.zeros(int(rng.uniform(0.05, 0.6) * 16000), np.float32)])
    x *= 0.7 / max(1e-3, np.abs(x).max())
    return x.astype(np.float32) + rng.standard_normal(len(x), np.float32) * np.float32(10 ** rng.uniform(-5, -3))


def trimmed(x):
    loud = np.flatnonzero(np.abs(x) > 0.01 * np.abs(x).max())
    x = (x[loud[0] : loud[-1] + 1] if len(loud) else x).copy()
    edge = min(EDGE, len(x) // 2)
    x[:edge] *= np.linspace(0, 1, edge, dtype=np.float32)
    x[len(x) - edge :] *= np.linspace(1, 0, edge, dtype=np.float32)
    return x / max(1e-3, np.sqrt((x**2).mean()))


def sentence(rng, jobs, short, sums):
    """-> (kind, words). Words in any order are of a kind that nothing is answered to."""
    way = rng.uniform()
    if way < ANY_ORDER_SHARE:
        pool = NUMBERS if rng.uniform() < NUMBERS_SHARE else ALL_WORDS
        return "words", " ".join(pool[i] for i in rng.integers(len(pool), size=rng.integers(1, 6))).split(" ")
    way -= ANY_ORDER_SHARE
    if way < SUM_SHARE:
        pool = sums[rng.uniform() < BARE_SHARE]
    else:
        pool = short if way < SUM_SHARE + SHORT_SHARE else jobs
    kind, text = pool[rng.integers(len(pool))]
    return kind, text.split(" ")


def renderings(rng, jobs, variants, complete):
    """Endless (kind, text, samples)."""
    sized = lambda most: [
        job for job in jobs if len(job[1].split(" ")) <= most and WORDS >= set(job[1].lower().split(" "))
    ]
    of = lambda kinds: [job for job in sized(SHORT_WORDS) if job[0] in kinds]
    short, any_sums, jobs = of(SHORT_KINDS), of(SUM_KINDS), sized(MOST_WORDS)
    sums = any_sums, [job for job in any_sums if len(job[1].split(" ")) == BARE_WORDS]
    while True:
        say = functools.lru_cache(None)(lambda word, of=voice(rng, variants): trimmed(of(word)))
        for _ in range(SENTENCES_A_VOICE):
            kind, words = sentence(rng, jobs, short, sums)
            if len(words) > 2 and kind != "words" and rng.uniform() < PREFIX_SHARE:
                words = words[: rng.integers(1, len(words))]
                if " ".join(words) in complete:
                    continue
                kind = "prefix"
            yield kind, " ".join(words), joined([say(w.lower()) for w in words], rng)
