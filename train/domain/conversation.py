"""Conversations of one to four turns: everything nano must remember, interruptions, unfinished sentences.

A conversation is a list of `Turn`s. Each skill is a small script that sets something up, lets time pass and asks for
it.
"""

from dataclasses import dataclass, replace
import random

from . import corrections, scenes
from .facts import AGAIN, all_facts, beyond_twenty, in_breaths
from .words import NAMES, number, sentence


@dataclass(frozen=True)
class Turn:
    kind: str
    question: str  # as heard; empty for noise and silence
    answer: tuple  # segments; empty: the wait token
    scene: tuple = None  # what the camera sees; None: no camera
    motion: str = None
    items: tuple = ()  # what a recitation names
    heard: int = None  # interrupted after so many items; 0: before anything of the reply was heard
    before: str = ""  # said in the same breath before the question
    tools: tuple = ()  # signatures of the tools that are told before it; the first turn of a conversation has them
    call: tuple = None  # (name, arguments) of the tool that is called after the answer
    result: str = None  # what a tool gave; it stands in place of a question

    @property
    def said(self):
        return f"{self.before} {self.question}" if self.before else self.question


# The last wording of each is never asked in training.
WORDINGS = {
    "name": ("my name is {}", "I am {}", "you can call me {}", "please call me {}", "{} is my name", "call me {}"),
    "name?": (
        "what is my name",
        "what was my name",
        "do you know my name",
        "can you tell me my name",
        "say my name",
        "tell me my name",
    ),
    "number": (
        "my number is {}",
        "remember the number {}",
        "my lucky number is {}",
        "remember {}",
        "please remember the number {}",
        "{} is my number",
        "please remember {}",
    ),
    "number?": (
        "what is my number",
        "what was my number",
        "do you know my number",
        "can you tell me my number",
        "say my number",
        "tell me my number",
    ),
    "asked": (
        "what did I ask",
        "what did I ask you",
        "what was my question",
        "can you tell me what I asked",
        "tell me my question",
        "do you know what I asked",
        "tell me what I asked",
    ),
    "repeat": (
        "repeat that",
        "say that again",
        "please repeat that",
        "can you repeat that",
        "please say that again",
        "can you say that again",
    ),
    "continue": ("continue", "please continue", "go on", "can you go on", "please go on"),
    "stopped": (
        "where did you stop",
        "where were you",
        "what was the last thing you said",
        "can you tell me where you stopped",
        "tell me where you were",
        "tell me where you stopped",
    ),
    "stopped at number": (
        "where did you stop",
        "what number did you stop at",
        "which number was the last",
        "can you tell me what number you stopped at",
        "tell me the last number",
        "tell me what number you stopped at",
    ),
    "before": (
        "what did you see before",
        "what was there before",
        "what did you see last time",
        "can you tell me what you saw before",
        "tell me what was there before",
        "tell me what you saw before",
    ),
    "stop": ("stop", "wait", "please stop", "please wait", "no", "no wait", "enough", "wait a moment"),
}
WORDING_TEXTS = {w for wordings in WORDINGS.values() for w in wordings}
ASKED = {
    "sum": "You asked for a sum.",
    "difference": "You asked for a difference.",
    "product": "You asked for a product.",
    "compare": "You asked about two numbers.",
    "order": "You asked about the order.",
    "count": "You asked me to count.",
    "recite": "You asked me to recite.",
    "scene": "You asked what I see.",
    "number?": "You asked for your number.",
    "name?": "You asked for your name.",
    None: "You asked nothing.",
}
NUMBERS = 31  # 0..30 can be remembered
TRIES = 4  # for a question that was recorded
TOLD_CORRECTED, TELLINGS = 0.15, 1000  # share of names and numbers that are corrected at once; how many are recorded
SHARES = {
    "fact": 30,
    "scene": 14,
    "chat": 10,
    "name": 6,
    "number": 6,
    "asked": 6,
    "repeat": 6,
    "stopped": 8,
    "continue": 6,
    "before": 6,
    "unfinished": 14,
    "nothing": 5,
    "wide": 6,
}
KIND_SHARE = {
    "sum": 4,
    "difference": 4,
    "product": 2,
    "compare": 3,
    "order": 2.5,
    "count": 2,
    "recite": 0.7,
    "talk": 2,
    "elsewhere": 1.5,
}
COMPOSED = {"sum", "difference", "product", "compare"}  # kinds whose last wording is kept for the test


def training_wordings(fact):
    if fact.held_out:
        return ()
    return fact.questions[:-1] if fact.kind in COMPOSED else fact.questions


def after(items, heard):
    """What is left of a recitation: the rest of the breath that was cut, then the breaths as they would have come."""
    edge = -(-heard // 5) * 5
    return in_breaths(items[heard:edge]) + in_breaths(items[edge:])


def random_view(rng):
    """-> (scene, motion): one thing alone may move."""
    scene = tuple(scenes.random_scene(rng, most=rng.choice((1, 3))))
    return scene, rng.choice((None, *scenes.DIRECTIONS)) if len(scene) == 1 and rng.random() < 0.7 else None


class Conversations:
    """Draws conversations; `unheard` draws the wordings and number pairs that training never has;
    `scene(rng)` gives what the camera sees and how it moves; `kind_share`: how often a kind of question comes; `starts`
    and `salads`: recorded beginnings of questions, and recorded words in any order; `look_share`: how often a kind of
    question about a scene comes, 1 where nothing is said. Where the questions in `recorded` are known, others come more
    rarely."""

    recorded = ()

    def __init__(self, unheard=False, scene=random_view, kind_share=KIND_SHARE, starts=(), salads=(), look_share=None):
        self.unheard, self.scene, self.kind_share, self.kinds, self.look_share = (
            unheard,
            scene,
            kind_share,
            {},
            look_share,
        )
        self.complete = {q for f in all_facts() for q in f.questions} | set(memory_questions()) | set(scenes.SEE)
        self.starts, self.salads = ([t for t in texts if t not in self.complete] for texts in (starts, salads))
        for fact in all_facts():
            wordings = training_wordings(fact)
            if unheard:
                wordings = (
                    tuple(q for q in fact.questions if q not in wordings)
                    if fact.kind in COMPOSED | {"elsewhere"}
                    else fact.questions
                )
            if wordings:
                self.kinds.setdefault(fact.kind, []).append((fact, wordings))

    def draw(self, rng, skill=None, **how):
        skill = skill or rng.choices(list(SHARES), list(SHARES.values()))[0]
        return getattr(self, "_" + skill)(rng, **how)

    def word(self, rng, name, filling=""):
        choices = WORDINGS[name]
        return (choices[-1] if self.unheard else rng.choice(choices[:-1])).format(filling)

    def one(self, rng, *kinds):
        kinds = kinds or tuple(self.kinds)
        kind = rng.choices(kinds, [self.kind_share[k] for k in kinds])[0]
        for _ in range(TRIES if self.recorded else 1):
            fact, wordings = rng.choice(self.kinds[kind])
            question = rng.choice(wordings)
            if question in self.recorded:
                break
        return Turn(kind, question, fact.answer, items=fact.items)

    def short(self, rng):
        return self.one(rng, "sum", "difference", "product", "compare", "order", "talk")

    def pass_time(self, rng, most=2):
        return [self.short(rng) for _ in range(rng.choices(range(most + 1), (4, 3, 1)[: most + 1])[0])]

    def look(self, rng):
        scene, motion = self.scene(rng)
        choices = list(scenes.questions(scene, rng))
        if len(scene) == 1:
            choices += 2 * list(scenes.motion_questions(motion, rng))
        if self.look_share:
            _, question, answer = rng.choices(choices, [self.look_share.get(kind, 1) for kind, *_ in choices])[0]
        else:
            _, question, answer = rng.choice(choices)
        return Turn("scene", question, answer, scene, motion)

    def _fact(self, rng):
        return [self.one(rng)]

    def _scene(self, rng):
        turn = self.look(rng)
        chance = rng.random()
        if chance < 0.12:  # the camera is on, the question is about something else
            return [replace(self.short(rng), scene=turn.scene, motion=turn.motion)]
        if chance < 0.2:
            return [self.blind(rng)]
        return [turn]

    def blind(self, rng):
        """A question about what is seen where there is no camera."""
        question = rng.choice(scenes.SEE) if rng.random() < 0.5 else self.look(rng).question
        return Turn("scene", question, ("I see nothing.",))

    def _chat(self, rng):
        return [self.look(rng) if rng.random() < 0.25 else self.short(rng) for _ in range(rng.randint(2, 3))]

    def telling(self, rng, what):
        """-> (question, the name or number that it tells); in training some take back the first that comes."""
        if self.recorded and rng.random() < TOLD_CORRECTED:
            told = [pair for pair in corrected_tellings()[what].items() if pair[0] in self.recorded]
            if told:
                return rng.choice(told)
        value = rng.choice(NAMES) if what == "name" else number(rng.randrange(NUMBERS))
        return self.word(rng, what, value), value

    def told(self, rng, what):
        question, value = self.telling(rng, what)
        tell = Turn(what, question, (f"Hello {value}.",) if what == "name" else ("Okay.",))
        ask = Turn(what + "?", self.word(rng, what + "?"), (sentence(value),))
        return tell, ask

    def _name(self, rng, what="name"):
        tell, ask = self.told(rng, what)
        chance = rng.random()
        if chance < 0.1:
            return self.pass_time(rng, 1) + [replace(ask, answer=("I do not know.",))]
        if chance < 0.25:  # both are told, one is asked
            other = self.told(rng, "number" if what == "name" else "name")[0]
            return rng.sample([tell, other], 2) + [ask]
        if chance < 0.35:  # the later one counts
            return [self.told(rng, what)[0], tell, ask]
        return [tell] + self.pass_time(rng) + [ask]

    def _number(self, rng):
        return self._name(rng, "number")

    def _asked(self, rng):
        if rng.random() < 0.1:
            return [Turn("asked", self.word(rng, "asked"), (ASKED[None],))]
        chance = rng.random()
        if chance < 0.2:
            last = self.look(rng)
        elif chance < 0.35:
            last = self.told(rng, rng.choice(("name", "number")))[1]
            last = replace(last, answer=("I do not know.",))
        else:
            last = self.one(rng, "sum", "difference", "product", "compare", "order", "count", "recite")
            if last.items:
                last = self.interrupted(rng, last)
        return self.pass_time(rng, 1) + [last, Turn("asked", self.word(rng, "asked"), (ASKED[last.kind],))]

    def _repeat(self, rng):
        if rng.random() < 0.08:
            return [Turn("repeat", self.word(rng, "repeat"), ("I said nothing.",))]
        last = self.look(rng) if rng.random() < 0.3 else self.short(rng)
        return self.pass_time(rng, 1) + [last, Turn("repeat", self.word(rng, "repeat"), last.answer)]

    def interrupted(self, rng, turn=None):
        turn = turn or self.one(rng, "count", "recite")
        return replace(turn, heard=rng.randint(1, min(len(turn.items) - 1, rng.choice((5, 12, 29)))))

    def stop(self, rng, chance=0.4):
        return [Turn("stop", self.word(rng, "stop"), ("Okay.",))] if rng.random() < chance else []

    def where(self, rng, cut):
        named = "stopped at number" if cut.kind == "count" and rng.random() < 0.7 else "stopped"
        return Turn("stopped", self.word(rng, named), (f"At {cut.items[cut.heard - 1]}.",))

    def _stopped(self, rng):
        if rng.random() < 0.1:
            return [self.short(rng), Turn("stopped", self.word(rng, "stopped"), ("I did not stop.",))]
        cut = self.interrupted(rng)
        return [cut] + self.stop(rng) + [self.where(rng, cut)]

    def _continue(self, rng):
        if rng.random() < 0.1:
            return [self.short(rng), Turn("continue", self.word(rng, "continue"), ("I am done.",))]
        cut = self.interrupted(rng)
        between = [self.where(rng, cut)] if rng.random() < 0.2 else self.stop(rng)
        return [cut] + between + [self.going_on(rng, cut)]

    def going_on(self, rng, cut):
        return Turn("continue", self.word(rng, "continue"), after(cut.items, cut.heard))

    def _before(self, rng):
        ask = Turn("before", self.word(rng, "before"), ("I see nothing.",))
        now, motion = self.scene(rng)
        if rng.random() < 0.08:
            return [replace(ask, answer=("I saw nothing.",), scene=now, motion=motion)]
        first = self.look(rng)
        return [first, replace(ask, answer=scenes.listing(first.scene), scene=now, motion=motion)]

    def _unfinished(self, rng):
        if self.starts and rng.random() < 0.6:
            turn = Turn("unfinished", rng.choice(self.starts), ())
            if rng.random() < 0.2:
                turn = replace(turn, **dict(zip(("scene", "motion"), self.scene(rng))))
            return self.pass_time(rng, 1) + [turn]
        while True:
            turn = rng.choice((self.one, self.one, self.look, self.memory))(rng)
            words = turn.question.split(" ")
            start = " ".join(words[: rng.randint(1, max(1, len(words) - 1))])
            if turn.kind != "elsewhere" and start not in self.complete and rng.random() < len(words) / 8:
                return self.pass_time(rng, 1) + [Turn("unfinished", start, (), turn.scene, turn.motion)]

    def memory(self, rng):
        name = rng.choice(list(WORDINGS))
        value = rng.choice(NAMES) if name == "name" else number(rng.randrange(NUMBERS))
        return Turn(name, self.word(rng, name, value), ())

    def _nothing(self, rng):
        """Noise or silence that passed for speech, or words that make no sense."""
        question = rng.choice(self.salads) if self.salads and rng.random() < 0.5 else ""
        return self.pass_time(rng, 1) + [Turn("nothing", question, AGAIN)]

    def _wide(self, rng):
        fact = beyond_twenty(rng)
        return [Turn("wide", rng.choice(fact.questions[:-1]), fact.answer)]


def corrected_tellings():
    """{"name" or "number": {question: what it tells in the end}}."""
    return {
        "name": corrections.drawn(WORDINGS["name"][:-1], tuple(NAMES), TELLINGS),
        "number": corrections.drawn(WORDINGS["number"][:-1], corrections.NUMBERS, TELLINGS),
    }


def memory_questions(unheard=True):
    """Every question that only a conversation can answer."""
    out = set()
    for name, wordings in WORDINGS.items():
        values = NAMES if name == "name" else [number(n) for n in range(NUMBERS)]
        out |= {w.format(v) for w in (wordings if unheard else wordings[:-1]) for v in (values if "{}" in w else ("",))}
    return sorted(out)


def unfinished_questions(count=20000, seed=2):
    rng, talk = random.Random(seed), Conversations()
    return sorted({talk._unfinished(rng)[-1].question for _ in range(count)})


def all_segments():
    """Every sentence of memory and interruption, for the output voice."""
    out = set(ASKED.values()) | {f"Hello {n}." for n in NAMES} | {f"{n}." for n in NAMES}
    out |= {sentence(number(n)) for n in range(NUMBERS)}
    out |= {"I do not know.", "I said nothing.", "I did not stop.", "I am done.", "I saw nothing."}
    for fact in all_facts():
        out |= {f"At {item}." for item in fact.items}
        out |= {s for heard in range(1, len(fact.items)) for s in after(fact.items, heard)}
    return sorted(out)
