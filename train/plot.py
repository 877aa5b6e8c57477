"""Loss curves of all stages as one picture: python3 train/plot.py [--to train/curves.png]"""

import argparse
import csv
import glob
import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from paths import TRAIN, cache

COLUMNS = 3
COUNTS = {"utterances"}  # would dwarf what is learnt


def curves(path):
    """-> name -> ([minutes], [values]) of one stage's log."""
    out = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            minutes, values = out.setdefault(row["name"], ([], []))
            minutes.append(float(row["minutes"]))
            values.append(float(row["value"]))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", default=os.path.join(TRAIN, "curves.png"))
    args = parser.parse_args()
    stages = sorted(glob.glob(cache("*.csv")))
    rows = (len(stages) + COLUMNS - 1) // COLUMNS
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(5 * COLUMNS, 3.2 * rows), squeeze=False)
    for axis, path in zip(axes.flat, stages):
        for name, (minutes, values) in curves(path).items():
            if name in COUNTS:
                continue
            axis.plot(minutes, values, label=name, linewidth=1)
        axis.set_title(os.path.splitext(os.path.basename(path))[0])
        axis.set_xlabel("minutes")
        axis.legend(fontsize=6)
    for axis in list(axes.flat)[len(stages) :]:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(args.to, dpi=80)
    print(args.to)


if __name__ == "__main__":
    main()
