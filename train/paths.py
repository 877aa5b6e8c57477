"""Where the training keeps its files. Everything under `.cache/train` can be made again from seeds."""

import os

TRAIN = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TRAIN)
CACHE = os.environ.get("LONGCAT_TRAIN_CACHE", os.path.join(ROOT, ".cache", "train"))
MODEL = os.path.join(ROOT, "models", "nano")


def cache(name):
    os.makedirs(CACHE, exist_ok=True)
    return os.path.join(CACHE, name)
