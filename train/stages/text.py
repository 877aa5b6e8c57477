"""Stage 1: the language model learns the domain in writing; scenes stand in words where pictures will be.

python3 train/stages/text.py --minutes 10
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.layout import Layout
from stages import language
from stages.mixture import Mixture, train
from stages.runner import Run, arguments

BUDGET = 1000  # positions a batch


def main():
    args = arguments(__doc__, minutes=10, rate=3e-3).parse_args()
    layout, parts = Layout(language.tokenizer()), language.modules()
    run = Run("text", args, parts)
    train(run, parts, Mixture(layout, run.step + args.seed), BUDGET,
          test=[("known wordings", Mixture(layout, 424242)), ("unheard wordings", Mixture(layout, 424243, unheard=True))])


if __name__ == "__main__":
    main()
