"""Stages 3 to 5: real senses. The encoders are frozen; projectors and language model learn.

see: pictures, questions still typed or imagined. listen: heard questions as well. polish: everything, mostly heard,
with more wrong input codes; run it last, as often as time allows. The tables of encoder outputs (stages/encoded.py) are
taken anew whenever they change, so that encoders may still be in training elsewhere.

python3 train/stages/senses.py listen --minutes 20      python3 train/stages/senses.py listen --test
"""

import os
import sys
import time

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.encode import Codes
from data.layout import Layout
from domain.calls import with_calls
from domain.conversation import KIND_SHARE, SHARES
from paths import cache
from stages import language
from stages.encoded import Recorded, Tables, question_files, write_tables
from stages.learner import Learner
from stages.mixture import Mixture
from stages.perception import Vocabulary
from stages.runner import Run, arguments
from stages.speech import judge

# With real senses what is seen is learnt last and slowest, then whatever joins several turns.
SKILLS = {
    **SHARES,
    "fact": 42,
    "scene": 28,
    "before": 14,
    "name": 9,
    "number": 12,
    "continue": 12,
    "stopped": 12,
    "unfinished": 26,
    "nothing": 6,
}
# Counting on request, and to say so when something is not in the domain, are learnt last of the single turns.
KINDS = {**KIND_SHARE, "sum": 5, "difference": 5, "product": 2.5, "count": 3, "recite": 1, "elsewhere": 2.5}
# Where a thing is takes two looks, at the thing and at its place.
LOOKS = {"where": 2.5, "colour": 2, "motion": 0.7}
LOOK_EVERY = 5  # seconds
# stage: (stages to start from, hears, sees, spoken, heard, seen, wrong codes)
STAGES = {
    "see": (("speech",), False, True, 0.4, 0.75, 0.9, 0.05),
    "listen": (("see", "speech"), True, True, 0.5, 0.85, 0.85, 0.05),
    "polish": (("listen", "speech", "shipped"), True, True, 0.6, 0.88, 0.9, 0.08),
}


def main():
    parser = arguments(__doc__, minutes=20, rate=1.5e-3)
    parser.add_argument("stage", choices=tuple(STAGES))
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--drawers", type=int, default=0, help="processes that draw batches (needed on CUDA)")
    args = parser.parse_args()
    before, hears, sees, spoken, heard, seen, wrong = STAGES[args.stage]
    layout, codes, parts = Layout(language.tokenizer()), Codes(), language.modules()
    language.start_from(before, parts)
    vocabulary = Vocabulary(layout.encode)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if not os.path.exists(cache("tables.pt")):
        write_tables(device, question_files())
    run = Run(args.stage, args, parts)
    if not args.test:
        shares = with_calls(SKILLS) if args.stage == "polish" else SKILLS
        make = lambda seed: Mixture(
            layout,
            seed,
            codes,
            spoken,
            Recorded(vocabulary),
            heard,
            seen,
            long=0.1,
            shares=shares,
            kind_share=KINDS,
            look_share=LOOKS,
        )
        learner = Learner(run, parts, vocabulary, make, wrong, run.step + args.seed, args.drawers, Tables.load(device))
        made, looked = os.path.getmtime(cache("tables.pt")), time.time()
        for _ in run:
            if time.time() - looked > LOOK_EVERY:
                made, looked, before = os.path.getmtime(cache("tables.pt")), time.time(), made
                if made != before:
                    learner.renew(Tables.load(device))
            learner.step()
        learner.drawers.stop()
        return
    for name, files in (("seen", "test-seen.npz"), ("unseen", "test-unseen.npz"), ("awb", "test-awb.npz")):
        write_tables(device, [cache(files)], into="test-")
        senses = Recorded(vocabulary, "test-")
        mixture = Mixture(layout, 424242, codes, 1.0, senses, 1.0, 1.0, unheard=name == "unseen")
        vocabulary.to(device)
        judge(
            {n: m.to(device) for n, m in parts.items()},
            [(name, mixture)],
            vocabulary,
            Tables.load(device, "test-"),
            24 if args.test else 0,
        )
        if not hears:
            break


if __name__ == "__main__":
    main()
