"""Draws false cut-offs against delay from the JSON on its standard input: python3 plot.py OUT.svg"""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "turn-taking"
import matplotlib.pyplot as plt

data = json.load(sys.stdin)
figure, axes = plt.subplots(figsize=(7, 4.2))
axes.plot(
    [p["meanDelayMs"] for p in data["curve"]],
    [100 * p["falseCutOffs"] for p in data["curve"]],
    "o-",
    color="#888",
    label="silence alone, 200-1600 ms",
)
axes.plot(
    [p["meanDelayMs"] for p in data["family"]],
    [100 * p["falseCutOffs"] for p in data["family"]],
    "o-",
    color="#27a",
    label="meaning, set for a mean delay",
)
for point in data["meaning"]:
    axes.plot(point["meanDelayMs"], 100 * point["falseCutOffs"], "D", label=f"preset {point['policy']}")
axes.axhline(5, color="#c44", lw=0.8, ls="--")
axes.axvline(600, color="#c44", lw=0.8, ls="--")
axes.set_xlabel("mean endpoint delay, ms")
axes.set_ylabel("turns cut off, %")
axes.set_ylim(bottom=0)
axes.legend(frameon=False)
figure.tight_layout()
figure.savefig(sys.argv[1], metadata={"Date": None})
