"""Scenes of coloured shapes and the questions about them. A scene is a list of (colour, shape, column, row) on a 3x2 grid."""
import random

from .words import COLOURS, SHAPES, number, plural, sentence

COLUMNS, ROWS = ("left", "middle", "right"), ("top", "bottom")
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def random_scene(rng, most=3):
    cells = rng.sample([(x, y) for x in range(3) for y in range(2)], rng.randint(1, most))
    return [(rng.choice(COLOURS), rng.choice(SHAPES), x, y) for x, y in sorted(cells)]


def thing(item):
    return f"a {item[0]} {item[1]}"


def listing(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def questions(scene, rng):
    """Yields (kind, question, answer segments) for one still scene."""
    yield "see", rng.choice(("what do you see", "what can you see", "tell me what you see")), (
        sentence("I see " + listing([thing(i) for i in scene])),)
    yield "how-many", rng.choice(("how many things do you see", "how many things are there")), (
        sentence("I see " + plural(len(scene), "thing")),)
    colour, shape, x, y = rng.choice(scene)
    if sum(i[1] == shape for i in scene) == 1:
        yield "colour", rng.choice((f"what colour is the {shape}", f"which colour is the {shape}")), (
            sentence(f"the {shape} is {colour}"),)
        yield "where", f"where is the {shape}", (sentence(f"the {shape} is at the {ROWS[y]} {COLUMNS[x]}"),)
    asked = rng.choice(SHAPES)
    there = [i for i in scene if i[1] == asked]
    yield "is-there", rng.choice((f"is there a {asked}", f"do you see a {asked}")), (
        (sentence(f"yes, there is {thing(there[0])}"),) if there else (sentence(f"no, there is no {asked}"),))


def motion_questions(shape, direction, rng):
    """One shape, two frames; direction None means it stands still."""
    if direction is None:
        yield "motion", rng.choice(("is it moving", "does it move")), ("No, it is not moving.",)
    else:
        yield "motion", rng.choice(("is it moving", "does it move")), (sentence(f"yes, it is moving {direction}"),)
        yield "motion", "which way is it moving", (sentence(f"it is moving {direction}"),)


def all_segments():
    """Every sentence the scene grammar can say, for the output voice."""
    out = {"No, it is not moving."}
    names = [f"a {c} {s}" for c in COLOURS for s in SHAPES]
    out |= {sentence("I see " + a) for a in names}
    rng = random.Random(0)
    out |= {sentence("I see " + listing(rng.sample(names, rng.choice((2, 3))))) for _ in range(600)}
    out |= {sentence("I see " + plural(n, "thing")) for n in range(1, 4)}
    for s in SHAPES:
        out |= {sentence(f"the {s} is {c}") for c in COLOURS}
        out |= {sentence(f"the {s} is at the {r} {c}") for r in ROWS for c in COLUMNS}
        out |= {sentence(f"no, there is no {s}")} | {sentence(f"yes, there is a {c} {s}") for c in COLOURS}
    out |= {sentence(f"{start} moving {d}") for d in DIRECTIONS for start in ("yes, it is", "it is")}
    return sorted(out)


def as_text(scene):
    """A scene in words: what the text stage reads in place of the picture."""
    return "; ".join(f"{c} {s} {ROWS[y]} {COLUMNS[x]}" for c, s, x, y in scene)
