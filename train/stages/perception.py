"""What the language model is given for a heard question and a seen picture, and how it becomes vectors.

Imagined senses stand in for the encoders: a question as word labels in 80 ms frames, a picture as the shape that covers
each patch and the place it stands at. A label's vector is the text embedding of its word. The real projectors are held
to the same language, so that all that was learnt from imagined senses holds for real ones.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

import nano
from domain import render, scenes
from domain.conversation import random_view
from domain.corpus import cased_words, heard_words
from domain.words import COLOURS, SHAPES
from reference.vision import resize_target

BLUR = 0.1  # of imagined vectors, as standard deviation
NOTHING_COVERED = 0
_c = nano.VISION
SIZE = resize_target(
    render.HEIGHT, render.WIDTH, 14 * _c["resize_factor"], _c["min_tokens"] * 196, _c["max_tokens"] * 196
)
KINDS = ("words", "patches", "ear", "eye")


@dataclass
class Feature:
    """Input of one modality, one row a position. words: [n]; patches: [n, 4] left class, right class, motion, place;
    ear and eye: [n] rows of the tables of encoder outputs."""

    kind: str
    data: np.ndarray

    def __len__(self):
        return len(self.data)

    def __getitem__(self, part):
        return Feature(self.kind, self.data[part])


class Vocabulary:
    """Vectors of heard words and of covered patches, made of text embeddings."""

    def __init__(self, encode):
        cased = cased_words()
        self.words = heard_words()
        self.number = {w: i + 1 for i, w in enumerate(self.words)}  # 0 is the blank
        rows = [encode(" " + cased[w]) for w in self.words]
        shapes = [encode(f" {colour} {shape}") for colour in COLOURS for shape in SHAPES]
        ways = [encode(" " + way) for way in render.MOTIONS[1:]]
        places = [encode(f" {scenes.ROWS[row]} {scenes.COLUMNS[column]}") for row, column in render.CELLS]
        self.tables = {
            "words": self._mean(rows),
            "patches": self._mean(shapes),
            "motion": self._mean(ways),
            "places": self._mean(places),
        }

    @staticmethod
    def _mean(rows):
        """Sparse averaging matrix [1 + rows, text vocabulary]; row 0 is nothing."""
        out = torch.zeros(1 + len(rows), nano.VOCAB)
        for i, ids in enumerate(rows):
            for token in ids:
                out[1 + i, token] += 1 / len(ids)
        return out

    def to(self, device):
        self.tables = {name: table.to(device) for name, table in self.tables.items()}
        return self

    def vectors(self, lm):
        return {name: table @ lm.model.embed_tokens.weight for name, table in self.tables.items()}


def patch_vectors(vectors, labels):
    """labels [n, 4] -> [n, hidden]."""
    left, right, motion, place = labels.long().unbind(1)
    what = (F.embedding(left, vectors["patches"]) + F.embedding(right, vectors["patches"])) / 2
    return what + F.embedding(motion, vectors["motion"]) + F.embedding(place, vectors["places"])


def covered(scene, places, motion):
    """What covers the two patches of each token, how that moves and where it stands: [tokens, 4]."""
    size = SIZE[1], SIZE[0]
    classes, cells = (
        render.patch_labels(render.masks(scene, places, size, of)).reshape(-1, 2)
        for of in (render.kind_of, render.cell_of)
    )
    way = render.MOTIONS.index(motion or "none") * (classes != NOTHING_COVERED).any(1, keepdims=True)
    return np.concatenate((classes, way, cells.max(1, keepdims=True)), 1).astype(np.int16)


class Imagined:
    """Senses for training before there are encoders."""

    starts = salads = ()

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary

    def scene(self, rng):
        return random_view(rng)

    def voice(self, question, rng):
        frames = [0] * rng.randint(1, 5)
        for word in question.lower().split(" ") if question else ():
            heard = self.vocabulary.number.get(word) or rng.randint(
                1, len(self.vocabulary.words)
            )  # an unknown word is taken for another
            frames += [0] * rng.choice((0, 1, 1, 2, 2, 3)) + [heard] * rng.choice((1, 1, 1, 2))
            if rng.random() < 0.05:
                frames += [0] * rng.randint(4, 20)
        return Feature("words", np.array(frames + [0] * rng.randint(1, rng.choice((6, 6, 20)))))

    def units(self, scene, motion, rng, count=1):
        return [Feature("patches", covered(scene, [render.place(item, rng) for item in scene], motion))] * count
