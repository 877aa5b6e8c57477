"""Scenes of coloured shapes and the questions about them. A scene is a list of (colour, shape, column, row) on a 3x2
grid."""

from .words import COLOURS, SHAPES, number, sentence

COLUMNS, ROWS = ("left", "middle", "right"), ("top", "bottom")
SEE = ("what do you see", "what can you see", "tell me what you see")
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def random_scene(rng, most=3):
    cells = rng.sample([(x, y) for x in range(3) for y in range(2)], rng.randint(1, most))
    return [(rng.choice(COLOURS), rng.choice(SHAPES), x, y) for x, y in sorted(cells)]


def thing(item):
    return f"a {item[0]} {item[1]}"


def listing(scene):
    """One breath a thing."""
    return tuple(sentence(thing(i)) for i in scene) if scene else ("I see nothing.",)


def questions(scene, rng):
    """Yields (kind, question, answer segments) for one still scene."""
    yield "see", rng.choice(SEE), listing(scene)
    yield (
        "how-many",
        rng.choice(("how many things do you see", "how many things are there")),
        (sentence(number(len(scene))),),
    )
    asked = rng.choice(SHAPES)
    there = [i for i in scene if i[1] == asked]
    yield "is-there", rng.choice((f"is there a {asked}", f"do you see a {asked}")), ("Yes.",) if there else ("No.",)
    if not scene:
        return
    colour, shape, x, y = rng.choice(scene)
    if sum(i[1] == shape for i in scene) == 1:
        yield (
            "colour",
            rng.choice((f"what colour is the {shape}", f"which colour is the {shape}")),
            (sentence(f"it is {colour}"),),
        )
        yield "where", f"where is the {shape}", (sentence(f"at the {ROWS[y]} {COLUMNS[x]}"),)
    held, wanted = rng.choice(COLOURS), rng.random() < 0.5
    if wanted:
        held, asked = colour, shape
    yield (
        "is-there",
        rng.choice((f"is there a {held} {asked}", f"do you see a {held} {asked}")),
        ("Yes.",) if any(i[:2] == (held, asked) for i in scene) else ("No.",),
    )


def motion_questions(direction, rng):
    """One shape, two frames; direction None means it stands still."""
    yield "motion", rng.choice(("is it moving", "does it move")), ("Yes.",) if direction else ("No.",)
    yield (
        "motion",
        rng.choice(("which way is it moving", "which way does it move")),
        (
            sentence(f"to the {direction}" if direction in ("left", "right") else direction)
            if direction
            else "It is not moving.",
        ),
    )


def all_segments():
    """Every sentence the scene grammar can say, for the output voice."""
    out = {"It is not moving.", "I see nothing.", "Yes.", "No.", "Up.", "Down.", "To the left.", "To the right."}
    out |= {sentence(f"a {c} {s}") for c in COLOURS for s in SHAPES}
    out |= {sentence(f"it is {c}") for c in COLOURS}
    return sorted(out | {sentence(f"at the {r} {c}") for r in ROWS for c in COLUMNS})


def as_text(scene, motion=None):
    """A scene in words: what the text stage reads in place of the picture."""
    words = "; ".join(f"{c} {s} {ROWS[y]} {COLUMNS[x]}" for c, s, x, y in scene)
    return f"{words} moving {motion}" if motion else words
