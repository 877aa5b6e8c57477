"""Does the order of the stages matter? The same CPU minutes, spent in stages or on everything at once.

Both arms end on the same material (typed and imagined-heard questions, spoken and written replies); the first spends a
third of its minutes on writing alone. Every few steps both are scored on conversations never drawn in training.

python3 train/stages/curriculum.py --minutes 6      # writes curriculum.csv and curriculum.png
"""

import csv
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.encode import Codes
from data.layout import Layout
from domain.conversation import SHARES
from paths import TRAIN
from stages import language, speech
from stages.learner import Learner
from stages.mixture import Mixture, exact
from stages.perception import Imagined, Vocabulary
from stages.runner import Run, arguments

WRITING = 1 / 3  # of the minutes of the arm with stages
POINTS = 8  # scores per arm
PER_SKILL = 12


def score(parts, mixture, vocabulary, tables):
    scores = exact(parts, mixture, vocabulary, tables, PER_SKILL)
    return sum(scores[s] * SHARES[s] for s in scores) / sum(SHARES.values())


def arm(name, args, layout, codes, rows):
    vocabulary, parts = Vocabulary(layout.encode), language.modules()
    senses, run = Imagined(vocabulary), Run(f"curriculum-{name}", args, parts)
    everything = lambda seed: Mixture(layout, seed, codes, speech.SPOKEN, senses, speech.HEARD, speech.SEEN)
    writing = lambda seed: Mixture(layout, seed)
    learners = [Learner(run, parts, vocabulary, make, 0.0, args.seed, args.drawers) for make in (writing, everything)]
    judged = [
        ("typed", Mixture(layout, 424242, codes, 1.0)),
        ("heard and seen", Mixture(layout, 424242, codes, 1.0, senses, 1.0, 1.0)),
    ]
    judging = 0.0
    for _ in run:
        learners[0 if name == "stages" and run.progress() < WRITING else 1].step()
        if run.progress() * POINTS >= judging + 1:
            judging += 1
            for what, mixture in judged:
                before = run.elapsed()
                rows.append(
                    (name, round(before, 2), what, round(score(parts, mixture, vocabulary, learners[1].tables), 3))
                )
                run.begin += (run.elapsed() - before) * 60  # judging is not training
                print(*rows[-1], flush=True)
    for learner in learners:
        learner.drawers.stop()


def plot(rows):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for name in ("stages", "at-once"):
        for what, style in (("typed", "--"), ("heard and seen", "-")):
            points = [(m, v) for n, m, w, v in rows if n == name and w == what]
            plt.plot(*zip(*points), style, label=f"{name}, {what}", color="C0" if name == "stages" else "C1")
    plt.xlabel("CPU minutes")
    plt.ylabel("replies with the right text")
    plt.legend()
    plt.savefig(os.path.join(TRAIN, "curriculum.png"), dpi=80)


def main():
    parser = arguments(__doc__, minutes=6, rate=3e-3)
    parser.add_argument("--drawers", type=int, default=0, help="processes that draw batches (needed on CUDA)")
    args = parser.parse_args()
    layout, codes, rows = Layout(language.tokenizer()), Codes(), []
    for name in ("stages", "at-once"):
        arm(name, args, layout, codes, rows)
    with open(os.path.join(TRAIN, "curriculum.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("arm", "minutes", "questions", "exact"), *rows])
    plot(rows)


if __name__ == "__main__":
    main()
