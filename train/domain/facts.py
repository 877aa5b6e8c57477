"""Single-turn questions that need no picture: arithmetic, order, counting, recitations, small talk.

Every generator yields `Fact`s. An answer is a list of segments, each a sentence spoken in one breath (spec 1.9).
"""
from dataclasses import dataclass
import zlib

from .words import DAYS, LETTERS, MONTHS, number, sentence

UNHEARD_SHARE = 10  # one in ten pairs of numbers is never asked in training


@dataclass(frozen=True)
class Fact:
    kind: str
    questions: tuple  # wordings; the last of three or more is held out when the fact is a training fact
    answer: tuple  # segments
    held_out: bool = False


def held_out(*key):
    return zlib.crc32(repr(key).encode()) % UNHEARD_SHARE == 0


def arithmetic():
    for a in range(21):
        for b in range(21):
            x, y = number(a), number(b)
            if a + b <= 20:
                yield Fact("sum", (f"what is {x} plus {y}", f"how much is {x} plus {y}", f"{x} plus {y}", f"add {x} and {y}",
                                   f"can you tell me {x} plus {y}"),
                           (sentence(f"{x} plus {y} is {number(a + b)}"),), held_out("sum", a, b))
            if a >= b:
                yield Fact("difference", (f"what is {x} minus {y}", f"how much is {x} minus {y}", f"{x} minus {y}",
                                          f"take {y} from {x}", f"can you tell me {x} minus {y}"),
                           (sentence(f"{x} minus {y} is {number(a - b)}"),), held_out("difference", a, b))
            if a * b <= 20 and a <= 10 and b <= 10:
                yield Fact("product", (f"what is {x} times {y}", f"how much is {x} times {y}", f"{x} times {y}",
                                       f"multiply {x} by {y}", f"can you tell me {x} times {y}"),
                           (sentence(f"{x} times {y} is {number(a * b)}"),), held_out("product", a, b))


def order():
    for a in range(20):
        x, y = number(a), number(a + 1)
        yield Fact("order", (f"what comes after {x}", f"which number comes after {x}", f"what follows {x}"),
                   (sentence(f"{y} comes after {x}"),))
        yield Fact("order", (f"what comes before {y}", f"which number comes before {y}", f"what is before {y}"),
                   (sentence(f"{x} comes before {y}"),))
    for a in range(21):
        for b in range(21):
            if a != b:
                x, y, high, low = number(a), number(b), number(max(a, b)), number(min(a, b))
                yield Fact("compare", (f"which is bigger {x} or {y}", f"what is bigger {x} or {y}",
                                       f"is {x} or {y} the bigger number"),
                           (sentence(f"{high} is bigger"),), held_out("bigger", a, b))
                yield Fact("compare", (f"which is smaller {x} or {y}", f"what is smaller {x} or {y}",
                                       f"is {x} or {y} the smaller number"),
                           (sentence(f"{low} is smaller"),), held_out("smaller", a, b))


def in_breaths(items, size=5):
    """Splits a recitation into segments of `size` items, so that an interruption finds a natural edge."""
    return tuple(sentence(", ".join(items[i:i + size])) for i in range(0, len(items), size))


def recitations():
    for n in range(3, 31):
        yield Fact("count", (f"count to {number(n)}", f"please count to {number(n)}", f"can you count to {number(n)}"),
                   in_breaths([number(i) for i in range(1, n + 1)]))
    for n in range(3, 21):
        yield Fact("count", (f"count down from {number(n)}", f"please count down from {number(n)}",
                             f"can you count down from {number(n)}"),
                   in_breaths([number(i) for i in range(n, 0, -1)]))
    yield Fact("recite", ("say the alphabet", "please say the alphabet", "can you say the alphabet"), in_breaths(LETTERS))
    yield Fact("recite", ("what are the days of the week", "name the days of the week", "tell me the days of the week"),
               in_breaths(DAYS, 7))
    yield Fact("recite", ("what are the months of the year", "name the months of the year", "tell me the months of the year"),
               in_breaths(MONTHS, 6))


def small_talk():
    rows = [
        (("hello", "hi", "good morning", "good evening", "hello there"), ("Hello.", "How can I help you?")),
        (("how are you", "how are you today", "how do you do"), ("I am fine, thank you.",)),
        (("thank you", "thanks", "thank you very much"), ("You are welcome.",)),
        (("goodbye", "bye", "see you later"), ("Goodbye.",)),
        (("who are you", "what is your name", "tell me who you are"), ("I am nano, a very small voice assistant.",)),
        (("what can you do", "how can you help me", "what do you know"),
         ("I can count and calculate.", "I can tell you what I see.")),
        (("stop", "wait", "please stop", "wait a moment"), ("Okay.",)),
        (("are you a person", "are you a human", "are you real"), ("No, I am a small program.",)),
        (("how old are you", "what is your age", "when were you born"), ("I am very young.",)),
        (("", "the", "well"), ("Sorry, could you say that again?",)),
    ]
    for questions, answer in rows:
        yield Fact("talk", questions, answer)


def all_facts():
    facts = [*arithmetic(), *order(), *recitations(), *small_talk()]
    for days in (DAYS, MONTHS):
        for today, following in zip(days, days[1:] + days[:1]):
            facts.append(Fact("order", (f"what comes after {today}", f"what follows {today}", f"tell me what comes after {today}"),
                              (sentence(f"{following} comes after {today}"),)))
    return facts
