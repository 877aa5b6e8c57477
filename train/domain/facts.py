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


def wordings(what, *commands):
    """All ways to ask for `what`; the last is the one held out."""
    return (
        f"what is {what}",
        f"how much is {what}",
        what,
        *commands,
        f"tell me {what}",
        f"please tell me {what}",
        f"do you know what {what} is",
        f"can you tell me how much {what} is",
        f"can you tell me what {what} is",
        f"can you tell me {what}",
    )


def comparisons(x, y, more):
    """All ways to ask which of two numbers is `more`; the last is the one held out."""
    return (
        f"which is {more} {x} or {y}",
        f"what is {more} {x} or {y}",
        f"is {x} or {y} {more}",
        f"which number is {more} {x} or {y}",
        f"tell me the {more} number {x} or {y}",
        f"which of {x} and {y} is {more}",
        f"{x} or {y} which is {more}",
        f"which is the {more} number {x} or {y}",
        f"can you tell me which is {more} {x} or {y}",
        f"{x} or {y} what is the {more} number",
        f"what is the {more} number of {x} and {y}",
        f"is {x} or {y} the {more} number",
    )


def sums(a, b):
    x, y = number(a), number(b)
    return Fact(
        "sum",
        wordings(f"{x} plus {y}", f"add {x} and {y}", f"please add {x} and {y}"),
        (sentence(number(a + b)),),
        held_out("sum", a, b),
    )


def differences(a, b):
    x, y = number(a), number(b)
    return Fact(
        "difference",
        wordings(f"{x} minus {y}", f"take {y} from {x}", f"please take {y} from {x}"),
        (sentence(number(a - b)),),
        held_out("difference", a, b),
    )


def products(a, b):
    x, y = number(a), number(b)
    return Fact(
        "product",
        wordings(f"{x} times {y}", f"multiply {x} by {y}", f"please multiply {x} by {y}"),
        (sentence(number(a * b)),),
        held_out("product", a, b),
    )


def compared(a, b, more):
    return Fact(
        "compare",
        comparisons(number(a), number(b), more),
        (sentence(number(max(a, b) if more == "bigger" else min(a, b))),),
        held_out(more, a, b),
    )


def arithmetic():
    for a in range(21):
        for b in range(21):
            if a + b <= 20:
                yield sums(a, b)
            if a >= b:
                yield differences(a, b)
            if a * b <= 20 and a <= 10 and b <= 10:
                yield products(a, b)


def beyond_twenty(rng):
    """One question about larger numbers, to be read only: what holds for seven and five holds for twenty seven and
    five."""
    a, b = rng.randrange(100), rng.choice((rng.randrange(10), rng.randrange(40), rng.randrange(100)))
    choices = [compared(a, b, "bigger"), compared(a, b, "smaller")] if a != b else []
    if a + b < 100:
        choices += [sums(a, b), sums(b, a)] * 2
    choices += [differences(max(a, b), min(a, b))] * 2
    if (a % 13) * (b % 13) < 100:
        choices.append(products(a % 13, b % 13))
    return rng.choice([f for f in choices if not f.held_out] or [sums(50, 2)])


def order():
    for a in range(20):
        x, y = number(a), number(a + 1)
        yield Fact(
            "order", (f"what comes after {x}", f"which number comes after {x}", f"what follows {x}"), (sentence(y),)
        )
        yield Fact(
            "order", (f"what comes before {y}", f"which number comes before {y}", f"what is before {y}"), (sentence(x),)
        )
    for a in range(21):
        for b in range(21):
            if a != b:
                yield from (compared(a, b, more) for more in ("bigger", "smaller"))
    for names in (DAYS, MONTHS):
        for today, following in zip(names, names[1:] + names[:1]):
            yield Fact(
                "order",
                (f"what comes after {today}", f"what follows {today}", f"tell me what comes after {today}"),
                (sentence(following),),
            )
            yield Fact(
                "order",
                (
                    f"what comes before {following}",
                    f"what is before {following}",
                    f"tell me what comes before {following}",
                ),
                (sentence(today),),
            )


def in_breaths(items, size=BREATH):
    """Splits a recitation into segments of `size` items, so that an interruption finds a natural edge."""
    return tuple(sentence(", ".join(items[i : i + size])) for i in range(0, len(items), size))


def recitation(kind, questions, items):
    return Fact(kind, questions, in_breaths(items), items=tuple(items))


def recitations():
    for n in range(3, 31):
        yield recitation(
            "count",
            (f"count to {number(n)}", f"please count to {number(n)}", f"can you count to {number(n)}"),
            [number(i) for i in range(1, n + 1)],
        )
    for n in range(3, 21):
        yield recitation(
            "count",
            (
                f"count down from {number(n)}",
                f"please count down from {number(n)}",
                f"can you count down from {number(n)}",
            ),
            [number(i) for i in range(n, 0, -1)],
        )
    for what, items in (
        ("say the alphabet", LETTERS),
        ("name the days of the week", DAYS),
        ("name the months of the year", MONTHS),
    ):
        yield recitation("recite", (what, f"please {what}", f"can you {what}"), items)


def small_talk():
    rows = [
        (("hello", "hi", "good morning", "good evening", "hello there"), ("Hello.",)),
        (("how are you", "how are you today", "how do you do"), ("I am fine.",)),
        (("thank you", "thanks", "thank you very much"), ("You are welcome.",)),
        (("goodbye", "bye", "see you later"), ("Goodbye.",)),
        (("who are you", "what is your name", "tell me who you are"), ("I am nano.",)),
        (("what can you do", "how can you help me", "what do you know"), ("I can count.", "I can see.")),
        (("stop", "wait", "please stop", "wait a moment", "no", "no wait", "cancel", "enough"), ("Okay.",)),
        (("yes", "yeah", "okay", "right", "uh-huh", "um-hum"), ("Okay.",)),
        (("are you a person", "are you a human", "are you real"), ("No.",)),
        (("how old are you", "what is your age", "when were you born"), ("I am very young.",)),
    ]
    for questions, answer in rows:
        yield Fact("talk", questions, answer)


ELSEWHERE = (
    "play some music",
    "open the door",
    "turn on the light",
    "turn off the radio",
    "call my mother",
    "what is the weather like",
    "will it rain tomorrow",
    "where is my car",
    "buy some bread and milk",
    "send a message to my friend",
    "who won the game last night",
    "tell me a story",
    "sing a song for me",
    "book a table for dinner",
    "how far is the station",
    "when does the train leave",
    "I like cheese",
    "my dog is hungry",
    "the house is old",
    "close the window please",
    "drive me home",
    "read the newspaper",
    "who wrote this book",
    "make me a sandwich",
    "find a good restaurant",
    "what time is it",
    "how much does it cost",
    "I went to school today",
    "the water is cold",
    "give me the keys",
)
ELSEWHERE_UNHEARD = (
    "turn off the music",
    "where is my dog",
    "open the window",
    "tell me the weather",
    "I like this song",
    "send my friend home",
    "when does the game",
    "buy the newspaper",
    "who is my mother",
    "the train is cold",
)


NOUNS = (
    "the door",
    "the window",
    "the light",
    "the radio",
    "some music",
    "my mother",
    "my friend",
    "the newspaper",
    "a book",
    "a restaurant",
    "a table",
    "some bread",
    "the milk",
    "some cheese",
    "my car",
    "my dog",
    "the house",
    "a sandwich",
    "a song",
    "the message",
    "the keys",
    "the train",
    "the station",
    "the water",
    "my school",
    "the game",
    "dinner",
    "the story",
)
ORDERS = (
    "play",
    "open",
    "close",
    "turn on",
    "turn off",
    "call",
    "buy",
    "read",
    "find",
    "drive",
    "book",
    "send",
    "make",
    "give me",
    "tell me about",
    "I like",
    "I saw",
    "I went to",
    "I wrote",
    "where is",
    "who is",
    "when is",
    "how far is",
    "how old is",
    "what is",
    "who wrote",
    "who won",
    "when does",
    "will you buy",
    "can you open",
    "can you find",
    "please close",
    "please play",
    "please call",
    "do you like",
)
STATES = (
    "is cold",
    "is old",
    "is hungry",
    "is good",
    "is far",
    "is mine",
    "was good",
    "went home",
    "was cold last night",
)


def off_topic():
    """Sentences about things nano knows nothing about, by a small grammar."""
    texts = {f"{o} {n}" for o in ORDERS for n in NOUNS} | {f"{n} {s}" for n in NOUNS for s in STATES}
    return sorted(texts - set(ELSEWHERE) - set(ELSEWHERE_UNHEARD))


def elsewhere():
    """What nano knows nothing about."""
    for held, texts in ((False, ELSEWHERE), (False, off_topic()), (True, ELSEWHERE_UNHEARD)):
        for text in texts:
            yield Fact("elsewhere", (text,), AGAIN, held)


def all_facts():
    return [*arithmetic(), *order(), *recitations(), *small_talk(), *elsewhere()]
