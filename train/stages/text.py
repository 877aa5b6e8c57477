"""Stage 1: the language model learns the domain in writing; scenes stand in words where pictures will be.

python3 train/stages/text.py --minutes 10
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.layout import Layout
from stages import language
from stages.learner import Learner
from stages.mixture import Mixture, exact, table
from stages.perception import Vocabulary
from stages.runner import Run, arguments


def main():
    parser = arguments(__doc__, minutes=10, rate=3e-3)
    parser.add_argument("--drawers", type=int, default=0, help="processes that draw batches (needed on CUDA)")
    args = parser.parse_args()
    layout, parts = Layout(language.tokenizer()), language.modules()
    run, vocabulary = Run("text", args, parts), Vocabulary(layout.encode)
    learner = Learner(
        run, parts, vocabulary, lambda seed: Mixture(layout, seed), 0.0, run.step + args.seed, args.drawers
    )
    for _ in run:
        learner.step()
    for name, unheard in (("known wordings", False), ("unheard wordings", True)):
        print(
            f"text end {name} {table(exact(parts, Mixture(layout, 424242, unheard=unheard), vocabulary, learner.tables))}",
            flush=True,
        )


if __name__ == "__main__":
    main()
