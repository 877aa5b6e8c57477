"""Stage D: vision encoder by dense classification of patches: what covers them, where that stands, and which way it
moves.

python3 train/stages/vision.py --minutes 20
"""

import os
import random
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from domain import render, scenes
from reference.vision import VisionModel, VisionProjector, pixels_of, resize_target
from stages.runner import Run, arguments

BATCH = 32
MOVING_SHARE = 0.4
MEAN, DEVIATION = (torch.tensor(nano.VISION[name])[:, None, None] for name in ("image_mean", "image_std"))
POOL, FRESH = 4096, 4  # drawing a unit costs more than learning from it: each is seen about BATCH / FRESH times


class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.what = nn.Linear(nano.VISION["hidden_size"], render.CLASSES)
        self.motion = nn.Linear(nano.VISION["hidden_size"], len(render.MOTIONS))


def size_of_picture():
    c = nano.VISION
    return resize_target(
        render.HEIGHT, render.WIDTH, 14 * c["resize_factor"], c["min_tokens"] * 196, c["max_tokens"] * 196
    )


def seen(rng, moving=None, scene=None):
    """One frame unit: -> (one or two pictures, scene, motion, what and where each patch shows)."""
    moving = rng.random() < MOVING_SHARE if moving is None else moving
    scene = scene or scenes.random_scene(rng, most=1 if moving else 3)
    places = [render.place(item, rng) for item in scene]
    motion = rng.choice(render.MOTIONS) if moving else "none"
    ground = render.backdrop(rng)
    images = [render.frame(scene, places, rng, ground)]
    if moving:
        places = render.shift(places, motion, rng.uniform(12, 30))
        images.append(render.frame(scene, places, rng, ground))
    height, width = size_of_picture()
    labels, cells = (
        render.patch_labels(render.masks(scene, places, (width, height), of)) for of in (render.kind_of, render.cell_of)
    )
    return images, scene, motion, labels, cells


def unit(rng, moving=None, scene=None):
    """The same as the encoder reads it: -> (pixels [2, 3, h, w], motion, what, where)."""
    images, _, motion, labels, cells = seen(rng, moving, scene)
    return pixels_of(images, size_of_picture(), nano.VISION), motion, torch.from_numpy(labels), torch.from_numpy(cells)


def batch(rng, size):
    pixels, motions, labels, cells = zip(*(unit(rng) for _ in range(size)))
    labels = torch.stack(labels)
    motion = torch.tensor([render.MOTIONS.index(m) for m in motions])[:, None].expand_as(labels)
    return torch.stack(pixels), labels, torch.stack(cells), motion


class Pool:
    """Units in memory as bytes; every batch replaces the oldest few."""

    def __init__(self, rng, size=POOL):
        self.rng, self.next = rng, 0
        self.units = [self.draw() for _ in range(size)]

    def draw(self):
        pixels, motion, labels, cells = unit(self.rng)
        return ((pixels * DEVIATION + MEAN) * 255).round().byte(), render.MOTIONS.index(motion), labels, cells

    def batch(self):
        for _ in range(FRESH):
            self.units[self.next] = self.draw()
            self.next = (self.next + 1) % len(self.units)
        pixels, motion, labels, cells = zip(*self.rng.sample(self.units, BATCH))
        labels = torch.stack(labels)
        return (
            (torch.stack(pixels) / 255 - MEAN) / DEVIATION,
            labels,
            torch.stack(cells),
            torch.tensor(motion)[:, None].expand_as(labels),
        )


def losses(model, probe, place, pixels, labels, cells, motion):
    patches, _ = model(pixels)
    what, way, where = probe.what(patches), probe.motion(patches), place(patches)
    covered = (labels > 0) & (cells > 0)
    loss = (
        F.cross_entropy(what.flatten(0, 1), labels.flatten())
        + 0.5 * F.cross_entropy(way[covered], motion[covered])
        + 0.5 * F.cross_entropy(where[covered], cells[covered])
    )
    right = what.argmax(-1) == labels
    return loss, {
        "patches_right": right.float().mean(),
        "object_patches_right": right[covered].float().mean(),
        "motion_right": (way.argmax(-1) == motion)[covered].float().mean(),
        "place_right": (where.argmax(-1) == cells)[covered].float().mean(),
    }


def main():
    args = arguments(__doc__, minutes=20, rate=2e-3).parse_args()
    model, probe, place = (
        VisionModel(nano.VISION),
        Probe(),
        nn.Linear(nano.VISION["hidden_size"], 1 + len(render.CELLS)),
    )
    run = Run(
        "vision",
        args,
        {"vision": model, "probe": probe, "place": place, "vision_projector": VisionProjector(nano.VISION)},
    )
    pool = Pool(random.Random(run.step + args.seed))
    for _ in run:
        loss, shown = losses(model, probe, place, *pool.batch())
        run.update(loss, **shown)
    with torch.no_grad():
        model.eval()
        print(
            {k: round(float(v), 3) for k, v in losses(model, probe, place, *batch(random.Random(999), 200))[1].items()}
        )


if __name__ == "__main__":
    main()
