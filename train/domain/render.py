"""Draws scenes as a camera would see them, with dense labels for the vision encoder."""

import numpy as np
from PIL import Image, ImageDraw

from .scenes import COLUMNS, DIRECTIONS, ROWS
from .words import COLOURS, SHAPES

WIDTH, HEIGHT = 320, 240
RGB = {
    "red": (210, 40, 35),
    "green": (40, 160, 60),
    "blue": (40, 70, 200),
    "yellow": (235, 205, 50),
    "white": (240, 240, 240),
    "black": (20, 20, 22),
}
BACKGROUNDS = 60, 185  # grey enough that both white and black shapes stand out
CLASSES = 1 + len(COLOURS) * len(SHAPES)
MOTIONS = ("none", *DIRECTIONS)
CELLS = [(row, column) for row in range(len(ROWS)) for column in range(len(COLUMNS))]


def label(colour, shape):
    return 1 + COLOURS.index(colour) * len(SHAPES) + SHAPES.index(shape)


def kind_of(item):
    return label(*item[:2])


def cell_of(item):
    """Number of the cell an item stands in, from 1."""
    return 1 + CELLS.index((item[3], item[2]))


def place(item, rng):
    """Centre and radius of a scene item, jittered inside its cell of the 3x2 grid."""
    _, _, column, row = item
    radius = rng.uniform(24, 42)
    return (
        (column + 0.5 + rng.uniform(-0.12, 0.12)) * WIDTH / 3,
        (row + 0.5 + rng.uniform(-0.12, 0.12)) * HEIGHT / 2,
        radius,
    )


def outline(shape, x, y, r):
    if shape == "square":
        return [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
    return [(x, y - r), (x + r, y + r * 0.8), (x - r, y + r * 0.8)]


def paint(draw, shape, x, y, r, fill):
    if shape == "circle":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    else:
        draw.polygon(outline(shape, x, y, r), fill=fill)


def frame(scene, places, rng, background):
    """-> RGB picture of the scene with shading, colour cast and sensor noise."""
    image = Image.fromarray(background)
    draw = ImageDraw.Draw(image)
    for (colour, shape, _, _), (x, y, r) in zip(scene, places):
        paint(draw, shape, x, y, r, tuple(int(min(255, max(0, v + rng.uniform(-18, 18)))) for v in RGB[colour]))
    noise = np.random.default_rng(rng.randrange(1 << 30)).standard_normal((HEIGHT, WIDTH, 1), np.float32)
    lit = np.asarray(image) * np.float32(rng.uniform(0.85, 1.1)) + noise * np.float32(rng.uniform(1, 8))
    return Image.fromarray(lit.clip(0, 255).astype(np.uint8))


def backdrop(rng):
    base = rng.uniform(*BACKGROUNDS) + np.array([rng.uniform(-12, 12) for _ in range(3)], np.float32)
    x, y = np.linspace(-20, 20, WIDTH, dtype=np.float32), np.linspace(-20, 20, HEIGHT, dtype=np.float32)
    slope = x * rng.uniform(-1, 1) + y[:, None] * rng.uniform(-1, 1)
    return (base + slope[..., None]).clip(0, 255).astype(np.uint8)


def masks(scene, places, size, of=kind_of):
    """What `of` says of the item at every pixel of a picture squeezed to `size` (width, height); 0 where there is
    none."""
    image = Image.new("L", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(image)
    for item, (x, y, r) in zip(scene, places):
        paint(draw, item[1], x, y, r, of(item))
    return np.asarray(image.resize(size, Image.NEAREST))


def patch_labels(classes, patch=14):
    """The class that covers most of each patch, background only where nothing covers a third: -> [rows * columns]."""
    h, w = classes.shape[0] // patch, classes.shape[1] // patch
    cells = classes[: h * patch, : w * patch].reshape(h, patch, w, patch).transpose(0, 2, 1, 3).reshape(h * w, -1)
    counts = np.stack([(cells == k).sum(1) for k in range(CLASSES)], 1)
    counts[:, 0] //= 2
    return counts.argmax(1)


def shift(places, direction, distance):
    dx, dy = (0, 0) if direction == "none" else DIRECTIONS[direction]
    return [(x + dx * distance, y + dy * distance, r) for x, y, r in places]
