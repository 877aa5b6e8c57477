"""What the language model is given for a heard question and a seen picture, and how it becomes vectors.

Imagined senses stand in for the encoders: a question as word labels in 80 ms frames, a picture as the shape that covers each
patch. A label's vector is the text embedding of its word. The real projectors are first fitted to speak the same language,
so that what was learnt from imagined senses holds for real ones.
"""
from dataclasses import dataclass

import torch

import nano
from domain import render
from domain.conversation import random_view
from domain.corpus import heard_words, spoken_questions
from domain.words import COLOURS, SHAPES
from reference.vision import resize_target

BLUR = 0.1  # of imagined vectors, as standard deviation
_c = nano.VISION
SIZE = resize_target(render.HEIGHT, render.WIDTH, 14 * _c["resize_factor"], _c["min_tokens"] * 196, _c["max_tokens"] * 196)


@dataclass
class Feature:
    """Input of one modality, one row a position. words: [n]; patches: [n, 3] left class, right class, motion; ear and eye: encoder outputs."""
    kind: str
    data: torch.Tensor

    def __len__(self):
        return len(self.data)

    def __getitem__(self, part):
        return Feature(self.kind, self.data[part])


class Vocabulary:
    """Vectors of heard words and of covered patches, made of text embeddings."""

    def __init__(self, encode):
        cased = {w.lower(): w for q in spoken_questions() for w in q.split(" ")}
        self.words = heard_words()
        self.number = {w: i + 1 for i, w in enumerate(self.words)}  # 0 is the blank
        rows = [encode(" " + cased[w]) for w in self.words]
        shapes = [encode(f" {colour} {shape}") for colour in COLOURS for shape in SHAPES]
        ways = [encode(" " + way) for way in render.MOTIONS[1:]]
        self.tables = {"words": self._mean(rows), "patches": self._mean(shapes), "motion": self._mean(ways)}

    @staticmethod
    def _mean(rows):
        """Sparse averaging matrix [1 + rows, text vocabulary]; row 0 is nothing."""
        out = torch.zeros(1 + len(rows), nano.VOCAB)
        for i, ids in enumerate(rows):
            for token in ids:
                out[1 + i, token] += 1 / len(ids)
        return out

    def vectors(self, lm, name):
        return self.tables[name] @ lm.model.embed_tokens.weight

    def imagined(self, lm, feature, tables):
        def table(name):
            if name not in tables:
                tables[name] = self.vectors(lm, name)
            return tables[name]
        if feature.kind == "words":
            out = table("words")[feature.data]
        else:
            left, right, motion = feature.data.unbind(1)
            out = (table("patches")[left] + table("patches")[right]) / 2 + table("motion")[motion]
        return out + BLUR * torch.randn_like(out)


class Imagined:
    """Senses for training before there are encoders."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary

    scene = staticmethod(random_view)

    def voice(self, question, rng):
        frames = [0] * rng.randint(1, 5)
        for word in question.lower().split(" ") if question else ():
            frames += [0] * rng.choice((0, 1, 1, 2, 2, 3)) + [self.vocabulary.number[word]] * rng.choice((1, 1, 1, 2))
        return Feature("words", torch.tensor(frames + [0] * rng.randint(1, 6)))

    def units(self, scene, motion, rng, count=1):
        places = [render.place(item, rng) for item in scene]
        classes = render.patch_labels(render.masks(scene, places, (SIZE[1], SIZE[0])))
        labels = torch.from_numpy(classes).long().view(-1, 2)
        way = render.MOTIONS.index(motion or "none") * (labels > 0).any(1, keepdim=True)
        return [Feature("patches", torch.cat((labels, way.long()), 1))] * count


def projection(vocabulary):
    """-> project(parts, sequences): every feature of a batch as language-model vectors, in reading order."""
    def project(parts, sequences):
        rows, tables = [f for s in sequences for f in s.features], {}
        if not rows:
            return None
        out = [vocabulary.imagined(parts["lm"], f, tables) if f.kind in ("words", "patches") else None for f in rows]
        for kind, name in (("ear", "projector"), ("eye", "vision_projector")):
            at = [i for i, f in enumerate(rows) if f.kind == kind]
            if at:
                stacked = torch.cat([rows[i].data for i in at])
                module = parts[name]
                done = module(stacked) if kind == "ear" else module.proj(module.p0(stacked))
                for i, part in zip(at, done.split([len(rows[i]) for i in at])):
                    out[i] = part
        return torch.cat(out)
    return project
