"""Stages 3 to 5: real senses. The encoders are frozen; projectors and language model learn.

see: pictures, questions still typed or imagined. listen: heard questions as well. polish: everything, mostly heard, with more
wrong input codes; run it last, as often as time allows.

python3 train/stages/senses.py listen --minutes 20      python3 train/stages/senses.py listen --test
"""
import os
import random
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data.encode import Codes
from data.layout import Layout
from domain.conversation import KIND_SHARE, SHARES
from paths import cache
from reference.audio_encoder import projector
from reference.vision import VisionProjector
from stages import language
from stages.encoded import Encoded, distance_to_imagined
from stages.mixture import Mixture, exact, table, train
from stages.perception import Vocabulary, projection
from stages.runner import Run, arguments
from stages.speech import replies, summary

BUDGET = 1300
# With real senses what is seen is learnt last and slowest, then whatever joins several turns.
SKILLS = {**SHARES, "fact": 26, "scene": 28, "before": 14, "name": 9, "number": 12, "continue": 12, "unfinished": 16}
# Counting on request, and to say so when something is not in the domain, are learnt last of the single turns.
KINDS = {**KIND_SHARE, "count": 3, "recite": 1, "elsewhere": 2.5}
FIT_STEPS = 1000  # at the beginning of a stage the projectors learn alone, to speak as the imagined senses do,
TIE = 0.2  # and are held there, so that all that was learnt from imagined senses holds for real ones
# stage: (stages to start from, hears, sees, spoken, heard, seen, wrong codes)
STAGES = {"see": (("listen", "speech"), False, True, 0.35, 0.75, 0.9, 0.05),
          "listen": (("see", "speech"), True, True, 0.4, 0.85, 0.85, 0.05),
          "polish": (("see", "listen"), True, True, 0.4, 0.85, 0.9, 0.08)}


def main():
    parser = arguments(__doc__, minutes=20, rate=1.5e-3)
    parser.add_argument("stage", choices=tuple(STAGES))
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    before, hears, sees, spoken, heard, seen, wrong = STAGES[args.stage]
    layout, codes = Layout(language.tokenizer()), Codes()
    parts = {**language.modules(), "projector": projector(nano.AUDIO), "vision_projector": VisionProjector(nano.VISION)}
    language.start_from(next(s for s in before if os.path.exists(cache(f"{s}.pt"))), parts)
    run = Run(args.stage, args, parts)
    vocabulary = Vocabulary(layout.encode)
    project, rng = projection(vocabulary), random.Random(run.step + args.seed)
    if not args.test:
        senses = Encoded(vocabulary, run.step + args.seed, hears, sees)
        if not run.resumed:
            warm_up(run, parts, senses, rng)
        train(run, parts, Mixture(layout, run.step + args.seed, codes, spoken, senses, heard, seen, long=0.1,
                                   shares=SKILLS, kind_share=KINDS), BUDGET, project, wrong_codes=wrong,
              tie=lambda: TIE * distance_to_imagined(parts, senses, rng))
        return
    judge(parts, layout, codes, vocabulary, project, hears, sees)


def judge(parts, layout, codes, vocabulary, project, hears, sees):
    for name, files in (("seen", "test-seen.npz"), ("unseen", "test-unseen.npz"), ("awb", "test-awb.npz")):
        senses = Encoded(vocabulary, 424242, hears, sees, files, clean=True, views=100)
        mixture = Mixture(layout, 424242, codes, 1.0, senses, 1.0, 1.0, unheard=name == "unseen")
        print(name, table(exact(parts, mixture, 40, project)), flush=True)
        print("free-running,", name, summary(replies(parts, mixture, ["fact", "scene", "stopped", "name"], 24, project)), flush=True)
        if not hears:
            break


def warm_up(run, parts, senses, rng):
    trained_here = [n for n, there in (("projector", senses.recorded), ("vision_projector", senses.eye)) if there]
    optimiser = torch.optim.AdamW([p for n in trained_here for p in parts[n].parameters()], lr=3e-3)
    for step in range(FIT_STEPS):
        optimiser.param_groups[0]["lr"] = 3e-3 * min(1, 2 - 2 * step / FIT_STEPS)
        loss = distance_to_imagined(parts, senses, rng, 1024)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 100 == 99:
            print(f"{run.stage} projectors alone, step {step + 1}: {float(loss):.3f}", flush=True)


if __name__ == "__main__":
    main()
