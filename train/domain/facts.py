"""Questions that need neither picture nor memory: arithmetic, order, counting, recitations, small talk, and what nano
does not understand.

Every generator yields `Fact`s. An answer is a list of segments, each a sentence spoken in one breath (spec 1.9).
Answers are short: a small model says few sentences well.
"""
from dataclasses import dataclass
import zlib

from .words import DAYS, LETTERS, MONTHS, number, sentence

UNHEARD_SHARE = 10  # one in ten pairs of numbers is never asked in training
BREATH = 5  # items of a recitation spoken in one breath
AGAIN = ("Please say that again.",)


@dataclass(frozen=True)
class Fact:
    kind: str
    questions: tuple  # wordings; the last of three or more is held out when the fact is a training fact
    answer: tuple  # segments
    held_out: bool = False
    items: tuple = ()  # what a recitation names, in order


def held_out(*key):
    return zlib.crc32(repr(key).encode()) % UNHEARD_SHARE == 0


def arithmetic():
    for a in range(21):
        for b in range(21):
            x, y = number(a), number(b)
            if a + b <= 20:
                yield Fact("sum", (f"what is {x} plus {y}", f"how much is {x} plus {y}", f"{x} plus {y}", f"add {x} and {y}",
                                   f"tell me {x} plus {y}",
                                   f"can you tell me what {x} plus {y} is", f"can you tell me {x} plus {y}"), (sentence(number(a + b)),), held_out("sum", a, b))
            if a >= b:
                yield Fact("difference", (f"what is {x} minus {y}", f"how much is {x} minus {y}", f"{x} minus {y}",
                                          f"take {y} from {x}", f"tell me {x} minus {y}",
                                   f"can you tell me what {x} minus {y} is", f"can you tell me {x} minus {y}"),
                           (sentence(number(a - b)),), held_out("difference", a, b))
            if a * b <= 20 and a <= 10 and b <= 10:
                yield Fact("product", (f"what is {x} times {y}", f"how much is {x} times {y}", f"{x} times {y}",
                                       f"multiply {x} by {y}", f"tell me {x} times {y}",
                                   f"can you tell me what {x} times {y} is", f"can you tell me {x} times {y}"),
                           (sentence(number(a * b)),), held_out("product", a, b))


def order():
    for a in range(20):
        x, y = number(a), number(a + 1)
        yield Fact("order", (f"what comes after {x}", f"which number comes after {x}", f"what follows {x}"), (sentence(y),))
        yield Fact("order", (f"what comes before {y}", f"which number comes before {y}", f"what is before {y}"), (sentence(x),))
    for a in range(21):
        for b in range(21):
            if a != b:
                x, y, high, low = number(a), number(b), number(max(a, b)), number(min(a, b))
                yield Fact("compare", (f"which is bigger {x} or {y}", f"what is bigger {x} or {y}", f"is {x} or {y} bigger",
                                       f"which number is bigger {x} or {y}", f"tell me the bigger number {x} or {y}",
                                       f"is {x} or {y} the bigger number"), (sentence(high),), held_out("bigger", a, b))
                yield Fact("compare", (f"which is smaller {x} or {y}", f"what is smaller {x} or {y}", f"is {x} or {y} smaller",
                                       f"which number is smaller {x} or {y}", f"tell me the smaller number {x} or {y}",
                                       f"is {x} or {y} the smaller number"), (sentence(low),), held_out("smaller", a, b))
    for names in (DAYS, MONTHS):
        for today, following in zip(names, names[1:] + names[:1]):
            yield Fact("order", (f"what comes after {today}", f"what follows {today}", f"tell me what comes after {today}"),
                       (sentence(following),))
            yield Fact("order", (f"what comes before {following}", f"what is before {following}",
                                 f"tell me what comes before {following}"), (sentence(today),))


def in_breaths(items, size=BREATH):
    """Splits a recitation into segments of `size` items, so that an interruption finds a natural edge."""
    return tuple(sentence(", ".join(items[i:i + size])) for i in range(0, len(items), size))


def recitation(kind, questions, items):
    return Fact(kind, questions, in_breaths(items), items=tuple(items))


def recitations():
    for n in range(3, 31):
        yield recitation("count", (f"count to {number(n)}", f"please count to {number(n)}", f"can you count to {number(n)}"),
                         [number(i) for i in range(1, n + 1)])
    for n in range(3, 21):
        yield recitation("count", (f"count down from {number(n)}", f"please count down from {number(n)}",
                                   f"can you count down from {number(n)}"), [number(i) for i in range(n, 0, -1)])
    for what, items in (("say the alphabet", LETTERS), ("name the days of the week", DAYS), ("name the months of the year", MONTHS)):
        yield recitation("recite", (what, f"please {what}", f"can you {what}"), items)


def small_talk():
    rows = [
        (("hello", "hi", "good morning", "good evening", "hello there"), ("Hello.",)),
        (("how are you", "how are you today", "how do you do"), ("I am fine.",)),
        (("thank you", "thanks", "thank you very much"), ("You are welcome.",)),
        (("goodbye", "bye", "see you later"), ("Goodbye.",)),
        (("who are you", "what is your name", "tell me who you are"), ("I am nano.",)),
        (("what can you do", "how can you help me", "what do you know"), ("I can count.", "I can see.")),
        (("stop", "wait", "please stop", "wait a moment"), ("Okay.",)),
        (("are you a person", "are you a human", "are you real"), ("No.",)),
        (("how old are you", "what is your age", "when were you born"), ("I am very young.",)),
    ]
    for questions, answer in rows:
        yield Fact("talk", questions, answer)


ELSEWHERE = ("play some music", "open the door", "turn on the light", "turn off the radio", "call my mother",
             "what is the weather like", "will it rain tomorrow", "where is my car", "buy some bread and milk",
             "send a message to my friend", "who won the game last night", "tell me a story", "sing a song for me",
             "book a table for dinner", "how far is the station", "when does the train leave", "I like cheese",
             "my dog is hungry", "the house is old", "close the window please", "drive me home", "read the newspaper",
             "who wrote this book", "make me a sandwich", "find a good restaurant", "what time is it",
             "how much does it cost", "I went to school today", "the water is cold", "give me the keys")
ELSEWHERE_UNHEARD = ("turn off the music", "where is my dog", "open the window", "tell me the weather", "I like this song",
                     "send my friend home", "when does the game", "buy the newspaper", "who is my mother", "the train is cold")


def elsewhere():
    """What nano knows nothing about."""
    for held, texts in ((False, ELSEWHERE), (True, ELSEWHERE_UNHEARD)):
        for text in texts:
            yield Fact("elsewhere", (text,), AGAIN, held)


def all_facts():
    return [*arithmetic(), *order(), *recitations(), *small_talk(), *elsewhere()]
