"""Stage 2: conversations with spoken replies, with written ones mixed in; questions are typed or heard, scenes are told
or seen with imagined senses, which prepares the language model for real ones.

python3 train/stages/speech.py --minutes 25      python3 train/stages/speech.py --test
"""

import os
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.encode import Codes
from data.layout import Layout
from reference import omni
from stages import language
from stages.learner import Learner, batch_of
from stages.mixture import Mixture, exact, table
from stages.packed import Packer, Shape
from stages.perception import Imagined, Vocabulary
from stages.runner import Run, arguments

SPOKEN = 0.75  # share of conversations that are spoken
HEARD, SEEN = 0.6, 0.6  # shares of turns
WRONG_CODES = 0.05


@torch.no_grad()
def prompt_of(parts, sequence, vocabulary, tables):
    """The vectors of a conversation up to the header of its last reply: [1, n, d]."""
    shape, flat = Shape(1, 1024), torch.zeros(Shape(1, 1024).size, dtype=torch.int32)
    Packer(shape, lambda one=[sequence]: one.pop() if one else None).fill(flat.numpy())
    batch = batch_of(shape, flat)
    features, _ = language.feature_vectors(parts, batch, vocabulary.vectors(parts["lm"]), tables)
    x = omni.embed(parts["lm"].model.embed_tokens, parts["audio"], batch["text"][None], batch["codes"][None])[0]
    x = torch.where((batch["feature"] > 0)[:, None], features[batch["feature"]], x)
    return x[None, : sequence.begin]


@torch.no_grad()
def replies(parts, mixture, skills, count, vocabulary, tables, most_steps=250):
    """Free-running replies under the runtime's rules. -> list of dicts with text ids, frames and agreement."""
    rows = []
    for i in range(count):
        turns = mixture.talk.draw(mixture.rng, skills[i % len(skills)])
        answer = turns[-1].answer
        sequence = mixture.sequence(turns, mixture.codes)
        x = prompt_of(parts, sequence, vocabulary, tables)
        steps = omni.generate(
            parts["lm"], parts["audio"], parts["heads"], x, min(most_steps, 60 + 60 * len(answer)) if answer else 3
        )
        text = [s[2] for s in steps if s[2] >= 0]
        encode = mixture.layout.encode
        truth = [
            t for k, s in enumerate(answer) for t in encode(s) + [omni.PAUSE if k < len(answer) - 1 else omni.TEXT_EOS]
        ]
        if not answer:
            rows.append({"text_exact": text[0] == sequence.text[sequence.begin]})
            continue
        frames = [(a[3][0], *b[3][1:]) for a, b in zip(steps, steps[1:]) if a[3][0] != omni.CODE_END]
        wanted = [tuple(int(v) + omni.CODE_OFFSET for v in f) for s in answer for f in mixture.codes(s)]
        rows.append(
            {
                "answer": answer,
                "text": text,
                "frames": frames,
                "text_exact": text == truth,
                "ended": steps[-1][4] == "END",
                "length_ratio": len(frames) / len(wanted),
                "semantic_exact": sum(a[0] == b[0] for a, b in zip(frames, wanted)) / len(wanted),
            }
        )
    return rows


def summary(rows):
    out = {}
    for name in ("text_exact", "ended", "length_ratio", "semantic_exact"):
        values = [float(r[name]) for r in rows if name in r]
        out[name] = round(sum(values) / max(1, len(values)), 3)
    return out


def judge(parts, mixtures, vocabulary, tables, free=60):
    """Teacher-forced on the device where the parts are; free-running on the CPU, where single steps are cheaper."""
    for name, mixture in mixtures:
        print(f"{name}: {table(exact(parts, mixture, vocabulary, tables, 48))}", flush=True)
    if free:
        for module in parts.values():
            module.to("cpu")
        vocabulary.to("cpu")
        tables = type(tables)(**{k: v.cpu() for k, v in tables.fields().items()})
        for name, mixture in mixtures:
            rows = replies(parts, mixture, ["fact", "scene", "stopped", "name"], free, vocabulary, tables)
            print(f"free-running, {name}: {summary(rows)}", flush=True)


def main():
    parser = arguments(__doc__, minutes=25, rate=2.5e-3)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--drawers", type=int, default=0, help="processes that draw batches (needed on CUDA)")
    args = parser.parse_args()
    layout, codes, parts = Layout(language.tokenizer()), Codes(), language.modules()
    language.start_from(("text", "shipped"), parts)
    vocabulary = Vocabulary(layout.encode)
    senses = Imagined(vocabulary)
    run = Run("speech", args, parts)
    make = lambda seed: Mixture(layout, seed, codes, SPOKEN, senses, HEARD, SEEN)
    learner = Learner(run, parts, vocabulary, make, WRONG_CODES, run.step + args.seed, args.drawers)
    if not args.test:
        for _ in run:
            learner.step()
    judge(
        parts,
        [
            ("typed", Mixture(layout, 424242, codes, 1.0)),
            ("heard and seen", Mixture(layout, 424242, codes, 1.0, senses, 1.0, 1.0)),
            ("heard and seen, unheard wordings", Mixture(layout, 424243, codes, 1.0, senses, 1.0, 1.0, unheard=True)),
        ],
        vocabulary,
        learner.tables,
        free=60 if args.test else 0,
    )


if __name__ == "__main__":
    main()
