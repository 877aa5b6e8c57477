"""Values that are taken back for others: "a timer for five no seven minutes", "my name is Anna sorry Ben".

There are far more of them than can be recorded, and one that was never recorded is only imagined: so a list is drawn
once, the voices say what stands in it, and conversations ask nothing else.
"""

from functools import lru_cache
import random

from .words import number

# How often: the first four are those of `tools.corrected`, which held-out tasks use too.
WORDS = {
    "no": 3,
    "wait": 3,
    "no wait": 3,
    "no no": 3,
    "sorry": 2,
    "I mean": 2,
    "no sorry": 1,
    "no I mean": 1,
    "wait I mean": 1,
    "sorry I mean": 1,
}
SEED = 33


@lru_cache(None)
def drawn(wordings, values, count, shorter=None):
    """-> {text: what was meant}, `count` at the most. `shorter(rng, first, second)` leaves out what is said once."""
    rng, out = random.Random(SEED), {}
    for _ in range(2 * count):
        other, meant = rng.sample(values, 2)
        first, second = shorter(rng, other, meant) if shorter else (other, meant)
        word = rng.choices(list(WORDS), list(WORDS.values()))[0]
        out[rng.choice(wordings).format(f"{first} {word} {second}")] = meant
        if len(out) == count:
            break
    return out


def unit_once(rng, first, second):
    """Minutes are mostly said at the end alone, now and then with the first number alone."""
    chance = rng.random()
    bare = lambda text: text.rsplit(" ", 1)[0]
    if chance < 0.7:
        return bare(first), second
    return (first, second) if chance < 0.9 else (first, bare(second))


NUMBERS = tuple(number(n) for n in range(31))
