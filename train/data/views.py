"""Pictures for the language-model stages: python3 train/data/views.py --shard S --seconds N

Writes `views-S.npz`: for each view the camera's unit (one or two frames) and the still one before it, as bytes, and
what is there.
"""

import argparse
import os
import random
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from domain import render
from domain.conversation import random_view
from paths import cache
from stages.perception import SIZE, covered


def small(image):
    from PIL import Image

    return np.asarray(image.resize((SIZE[1], SIZE[0]), Image.BICUBIC)).transpose(2, 0, 1)


def look(scene, places, motion, rng):
    """-> (unit [2, 3, h, w] bytes, places in its last frame)."""
    ground = render.backdrop(rng)
    first = small(render.frame(scene, places, rng, ground))
    if not motion and rng.random() < 0.5:
        return np.stack((first, first)), places
    places = render.shift(places, motion or "none", rng.uniform(12, 30))
    return np.stack((first, small(render.frame(scene, places, rng, ground)))), places


def view(rng):
    scene, motion = random_view(rng)
    places = [render.place(item, rng) for item in scene]
    unit, after = look(scene, places, motion, rng)
    still = look(scene, places, None, rng)[0] if motion else unit
    return scene, motion, unit, still, covered(scene, after, motion), covered(scene, places, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--views", type=int, help="so many views instead: the same on every machine")
    args = parser.parse_args()
    rng, end, rows = random.Random(77_000 + args.shard), time.time() + args.seconds, []
    while (len(rows) < args.views if args.views else time.time() < end) or not rows:
        rows.append(view(rng))
    scenes, motions, units, stills, labels, still_labels = zip(*rows)
    path = cache(f"views-{args.shard}.npz")
    np.savez(
        path + ".new.npz",
        scenes=np.array([repr(s) for s in scenes]),
        motions=np.array([m or "" for m in motions]),
        units=np.stack(units),
        stills=np.stack(stills),
        labels=np.stack(labels),
        still_labels=np.stack(still_labels),
    )
    os.replace(path + ".new.npz", path)
    print(f"views-{args.shard}: {len(rows)} views", flush=True)


if __name__ == "__main__":
    main()
