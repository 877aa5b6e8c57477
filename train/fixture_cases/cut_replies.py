"""Conversations whose first reply is cut, as training lays them out (`data/layout.py`): what a runtime must keep after
the same cut.

Every case has the whole reply as the model writes it, the milliseconds of it that were heard, and all positions of the
conversation that training draws for it. When an item counts as heard is written here once more, from spec 1.7 and 6.5:
when the share of its segment that its characters make up has been played.
"""

from dataclasses import replace
import json
import os
import random

from data.layout import Layout, Sequence
from domain.conversation import Turn
from domain.facts import BREATH, all_facts
from domain.tokenizer import Tokenizer
from paths import MODEL
from reference.omni import CODEBOOKS

FRAME_MS = 60
ASKED = ("count to twelve", "name the days of the week", "count down from seven", "say the alphabet")
NEXT = Turn("sum", "three plus four", ("Seven.",))


def cases():
    return {"recitations": write}


def codes_of(text):
    """Codes of as many frames as such a sentence takes."""
    rng = random.Random(text)
    import numpy as np

    return np.array([[rng.randrange(256) for _ in range(CODEBOOKS)] for _ in range(8 + 2 * len(text))])


def heard_ms(turn):
    """Between the ends of the last item that was heard and of the next."""
    ends, start = [0.0], 0.0
    for segment in turn.answer:
        sound, characters = len(codes_of(segment)) * FRAME_MS, len(segment.replace(" ", ""))
        said = 0
        for item in segment[:-1].split(", "):
            said += len(item) + 1
            ends.append(start + sound * said / characters)
        start += sound
    return (ends[turn.heard] + ends[turn.heard + 1]) / 2


def positions(sequence, begin=0):
    return [[int(t), *(int(c) for c in codes)] for t, codes in zip(sequence.text[begin:], sequence.codes[begin:])]


def case(layout, turn):
    asked, whole, drawn = Sequence(), Sequence(), Sequence()
    layout.user_text(asked, turn.question)
    layout.reply(whole, replace(turn, heard=None), codes_of)
    for of in (turn, NEXT):
        layout.user_text(drawn, of.question)
        layout.reply(drawn, of, codes_of)
    steps = positions(whole, whole.begin)[: -len(layout.encode("\n"))]
    rest = Sequence()
    layout.user_text(rest, NEXT.question)
    layout.reply(rest, NEXT, codes_of)
    kept = turn.items[: turn.heard]
    return {
        "heardMs": heard_ms(turn),
        "heard": list(kept),
        "user": positions(asked),
        "header": positions(whole)[: whole.begin],
        "steps": steps,
        "newline": layout.encode("\n"),
        "next": positions(rest),
        "positions": positions(drawn),
    }


def write(folder):
    layout = Layout(Tokenizer(os.path.join(MODEL, "tokenizer.json")))
    facts = [next(f for f in all_facts() if question in f.questions) for question in ASKED]
    rows = []
    for fact, question in zip(facts, ASKED):
        turn = Turn(fact.kind, question, fact.answer, items=fact.items)
        cuts = range(len(fact.items)) if len(fact.items) <= 12 else (0, BREATH, 2 * BREATH + 1, len(fact.items) - 1)
        rows += [case(layout, replace(turn, heard=heard)) for heard in cuts]
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump({"frameMs": FRAME_MS, "cases": rows}, file, separators=(",", ":"))
