"""All text of the domain in one place: for the tokenizer, the recogniser's word list and the output voice."""

import random

from . import conversation, scenes, tools
from .facts import all_facts

TEMPLATE = ["SYSTEM:", "USER:", "ASSISTANT:", "VOICE ASSISTANT:", "\n", "second{0.0}:", "second{12.0}:"]


def first_segments():
    """Every sentence nano could say before it had tools, sorted."""
    return sorted(
        {s for f in all_facts() for s in f.answer} | set(scenes.all_segments()) | set(conversation.all_segments())
    )


def later_segments():
    return sorted(set(tools.all_segments()) - set(first_segments()))


def answer_segments():
    """Every sentence nano can say, sorted."""
    return sorted([*first_segments(), *later_segments()])


def scene_questions(count=4000, seed=0):
    rng, out = random.Random(seed), set()
    for _ in range(count):
        out |= {q for _, q, _ in scenes.questions(scenes.random_scene(rng), rng)}
    for direction in (None, "left"):
        out |= {q for _ in range(9) for _, q, _ in scenes.motion_questions(direction, rng)}
    return sorted(out)


def spoken_questions():
    """Every question a user may ask, sorted."""
    return sorted(
        {q for f in all_facts() for q in f.questions} | set(scene_questions()) | set(conversation.memory_questions())
    )


def tokenizer_texts():
    yield from TEMPLATE * 50
    yield from answer_segments() * 5
    for question in spoken_questions():
        yield question
        yield sentence_case(question)
    rng = random.Random(1)
    for _ in range(500):
        yield scenes.as_text(scenes.random_scene(rng))


def sentence_case(question):
    """How a person would type it."""
    ask = question.split(" ")[0] in {
        "what",
        "how",
        "which",
        "who",
        "is",
        "do",
        "does",
        "can",
        "where",
        "are",
        "when",
        "will",
    }
    return question[0].upper() + question[1:] + ("?" if ask else ".")


def cased_words():
    """{every word that the ear knows by name: the same as it is written}."""
    return {w.lower(): w for w in (*sorted(tools.words()), *(w for q in spoken_questions() for w in q.split(" ")))}


def heard_words():
    return sorted(cased_words())
