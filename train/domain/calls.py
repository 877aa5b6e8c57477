"""Whole calls of up to twenty turns, in which anything may follow anything: replies are interrupted at any word, before
the first too, by a question, by a command with a question in the same breath, by a word that goes along, by noise or by
another recitation; then any question comes.

What a call remembers is small: the recitation that was cut last, the name and the number it was told, the last question
and its answer.
"""

from dataclasses import dataclass, field, replace
import random

from . import everyday
from .conversation import ASKED, Conversations, Turn
from .facts import AGAIN
from .words import sentence

MOST_TURNS = 20
RECITES = ("count", "recite")
SHORT = ("sum", "difference", "product", "compare", "order", "talk")
BEFORE = (
    "stop",
    "wait",
    "please stop",
    "no",
    "no wait",
    "enough",
    "okay",
    "right",
    "yes",
    "cancel",
    "wait a moment",
    "please wait",
)
# Single words and questions that were learnt worst, asked again more often.
HARD = (
    "okay",
    "hello",
    "goodbye",
    "bye",
    "hi",
    "right",
    "yes",
    "stop",
    "no",
    "thanks",
    "thank you",
    "are you real",
    "what is before twenty",
)
CALL_SHARES = {
    "call": 3,
    "after_cut": 11,
    "after_recitation": 6,
    "one_breath": 11,
    "unheard_reply": 4,
    "hard": 4,
    "everyday": 5,
}
STEPS = {
    "ask": 9,
    "recite": 5,
    "cut": 6,
    "tell": 2,
    "recall": 2,
    "look": 1.5,
    "again": 1.5,
    "nothing": 1,
    "everyday": 1,
    "lost": 2,
}
REMEMBERED, FAR_STEPS = 0.65, {**STEPS, "tell": 0.3, "recall": 4}  # share of calls that fill a row; what comes in them
# Half of those ask for the first time after so many turns: every answer says the value again, and so brings it near.
NOT_YET, FIRST_ASKED = 0.5, (8, 30)
AHEAD = 0.15  # of what is said in one breath: after another question, which nothing answers
NO_QUESTION = 0.12  # of it: nonsense
BLIND = 0.15  # of what is asked about a picture in a call: without one
AFTER_CUT = {"ask": 7, "breath": 5, "stop": 4, "where": 8, "continue": 1.5, "along": 1.5, "recite": 2, "nothing": 1}


def with_calls(shares, part=0.5, whole=1):
    """Shares of single skills and of calls together: `part` of the conversations are calls, whole ones `whole` times as
    often as their share."""
    scale = part / (1 - part) * sum(shares.values()) / sum(CALL_SHARES.values())
    return {**shares, **{name: share * scale * (whole if name == "call" else 1) for name, share in CALL_SHARES.items()}}


def pick(rng, shares):
    return rng.choices(list(shares), list(shares.values()))[0]


@dataclass
class Call:
    """Turns so far and what follows from them."""

    turns: list = field(default_factory=list)
    cut: Turn = None  # a recitation that was interrupted and nothing but "stop" came since
    told: dict = field(default_factory=dict)
    last: Turn = None  # the last question with a short answer that was heard to its end

    def add(self, turn):
        self.turns.append(turn)
        if turn.kind != "stop":
            self.cut = turn if turn.items and turn.heard else None
        self.last = turn if turn.heard is None and not turn.items else None


class Calls(Conversations):
    """Conversations, and whole calls under the names of `CALL_SHARES`."""

    def question(self, rng, *kinds):
        return self.short(rng) if not kinds else self.one(rng, *kinds)

    def recitation(self, rng, cut):
        """A count or a list; `cut`: heard up to any of its items, often early, as people are impatient."""
        while True:
            turn = self.one(rng, *RECITES)
            if cut:
                return replace(turn, heard=rng.randint(0, min(len(turn.items) - 1, rng.choice((2, 5, 12, 29)))))
            if len(turn.items) <= 12 or rng.random() < 0.3:
                return turn

    def lost(self, rng):
        """A short answer that was interrupted before a word of it was heard: nothing of it stays."""
        return replace(self.look(rng) if rng.random() < 0.15 else self.question(rng), heard=0)

    def breath(self, rng, turn):
        """The same question after a command, a word that goes along or a question that it comes too soon for."""
        before = self.one(rng, *RECITES, "sum").question if rng.random() < AHEAD else rng.choice(BEFORE)
        return replace(turn, before=before)

    def anything(self, rng):
        """Mostly a short question; now and then any, or what nano does not understand."""
        chance = rng.random()
        return self.everyday(rng) if chance < NO_QUESTION else self.one(rng) if chance < 0.3 else self.question(rng)

    def step(self, rng, call, what):
        if what == "ask":
            turn = self.question(rng)
            call.add(self.breath(rng, turn) if rng.random() < 0.1 else turn)
        elif what in ("recite", "cut"):
            call.add(self.recitation(rng, what == "cut"))
        elif what == "lost":
            call.add(self.lost(rng))
        elif what == "tell":
            self.tell(rng, call, rng.choice(("name", "number")))
        elif what == "recall":
            of = rng.choice(("name", "number"))
            if of not in call.told and call.told and rng.random() < 0.6:
                (of,) = call.told
            answer = sentence(call.told[of]) if of in call.told else "I do not know."
            call.add(Turn(of + "?", self.word(rng, of + "?"), (answer,)))
        elif what == "look":
            call.add(self.blind(rng) if rng.random() < BLIND else self.look(rng))
        elif what == "again":
            self.again(rng, call)
        elif what == "nothing":
            call.add(Turn("nothing", "", AGAIN))
        else:
            call.add(self.everyday(rng))

    def tell(self, rng, call, of):
        question, call.told[of] = self.telling(rng, of)
        answer = f"Hello {call.told[of]}." if of == "name" else "Okay."
        call.add(Turn(of, question, (answer,)))

    def again(self, rng, call):
        """About the question before, where there was one to speak of."""
        last = call.last
        if last is None or last.kind not in (*SHORT, "scene") or last.kind == "talk":
            return call.add(self.question(rng))
        if rng.random() < 0.5:
            return call.add(Turn("repeat", self.word(rng, "repeat"), last.answer))
        call.add(Turn("asked", self.word(rng, "asked"), (ASKED[last.kind],)))

    def after_cut(self, rng, call, what):
        """What comes over a recitation, or right after it was cut."""
        cut = call.cut
        if what == "breath":
            call.add(self.breath(rng, self.one(rng) if rng.random() < 0.15 else self.question(rng)))
        elif what == "stop":
            call.add(Turn("stop", self.word(rng, "stop"), ("Okay.",)))
        elif what == "where":
            call.add(self.where(rng, cut))
        elif what == "continue":
            call.add(self.going_on(rng, cut))
        elif what == "along":
            call.add(Turn("talk", rng.choice(("yes", "okay", "right", "uh-huh", "um-hum", "yeah")), ("Okay.",)))
        else:
            self.step(rng, call, what)

    def _call(self, rng, turns=None):
        """A call of so many `turns` is cut where its row is full; in most of them something is told in the beginning
        and asked for long after."""
        call, length = Call(), turns or min(rng.randint(3, MOST_TURNS), rng.randint(3, MOST_TURNS))
        steps, silent = STEPS, 0
        if turns and rng.random() < REMEMBERED:
            steps, call.turns = FAR_STEPS, self.pass_time(rng, 1)
            for of in rng.choice((("name",), ("name",), ("number",), ("name", "number"), ("number", "name"))):
                self.tell(rng, call, of)
            silent = rng.randint(*FIRST_ASKED) if rng.random() < NOT_YET else 0
        while len(call.turns) < length:
            if silent and len(call.turns) >= silent:
                self.step(rng, call, "recall")
                silent = 0
            elif call.cut and rng.random() < 0.9:
                self.after_cut(rng, call, pick(rng, AFTER_CUT))
            else:
                self.step(rng, call, pick(rng, {**steps, "tell": 0, "recall": 0} if silent else steps))
        return call.turns

    def _after_cut(self, rng):
        """An interrupted recitation, what interrupts it, and a question or two."""
        call = Call(self.pass_time(rng, 1))
        call.add(self.recitation(rng, cut=True))
        self.after_cut(rng, call, pick(rng, AFTER_CUT) if call.cut else "ask")
        for _ in range(rng.randint(0, 2)):
            self.step(rng, call, pick(rng, {"ask": 6, "recall": 1, "look": 1, "cut": 1, "recite": 1}))
        return call.turns

    def _after_recitation(self, rng):
        call = Call(self.pass_time(rng, 1))
        call.add(self.recitation(rng, cut=False))
        for _ in range(rng.randint(1, 3)):
            self.step(rng, call, pick(rng, {"ask": 8, "look": 1, "recall": 1}))
        return call.turns

    def _one_breath(self, rng):
        call = Call(self.pass_time(rng, 1))
        call.add(self.recitation(rng, cut=True) if rng.random() < 0.7 else self.lost(rng))
        call.add(self.breath(rng, self.anything(rng)))
        if rng.random() < 0.5:
            self.step(rng, call, "ask")
        return call.turns

    def _unheard_reply(self, rng):
        return (
            self.pass_time(rng, 1)
            + [self.lost(rng) for _ in range(rng.choice((1, 1, 2)))]
            + [self.question(rng), self.question(rng)]
        )

    def _bare(self, rng):
        """A sum or a difference of three words: none of them tells what comes next, so each has to be heard."""
        fact, wordings = rng.choice(self.kinds[rng.choice(("sum", "difference"))])
        return self.pass_time(rng, 1) + [
            Turn(fact.kind, next(w for w in wordings if len(w.split(" ")) == 3), fact.answer)
        ]

    def _hard(self, rng):
        """Short words and minus, alone and between other questions."""
        if rng.random() < 0.4:
            return self.pass_time(rng) + [self.one(rng, "difference")]
        question = rng.choice(HARD)
        fact = next(f for f, wordings in self.kinds["talk"] + self.kinds["order"] if question in f.questions)
        return self.pass_time(rng) + [Turn(fact.kind, question, fact.answer)]

    def everyday(self, rng):
        texts = self.everyday_texts
        return Turn("everyday", rng.choice(texts), AGAIN)

    @property
    def everyday_texts(self):
        return everyday.unheard() if self.unheard else everyday.heard()

    def _everyday(self, rng):
        return self.pass_time(rng, 1) + [self.everyday(rng)] + self.pass_time(rng, 1)


def for_the_test(count=50, seed=4242):
    """{skill: conversations} in training wordings, the same every time, without scenes: {skill: [[Turn]]}."""
    talk, rng, out = Calls(), random.Random(seed), {}
    for skill in (*CALL_SHARES, "fact", "stopped", "continue", "name", "asked"):
        out[skill] = []
        while len(out[skill]) < count:
            turns = talk.draw(rng, skill)
            if (
                turns[-1].heard is None
                and not any(turn.scene for turn in turns)
                and all(turn.question for turn in turns)
            ):
                out[skill].append(turns)
    return out
