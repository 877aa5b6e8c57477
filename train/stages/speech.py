"""Stage 2: conversations with spoken replies, with written ones mixed in; questions are typed or heard, scenes are told or
seen with imagined senses, which prepares the language model for real ones.

python3 train/stages/speech.py --minutes 25      python3 train/stages/speech.py --test
"""
import os
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.encode import Codes
from data.layout import Layout, collate
from reference import omni
from stages import language
from stages.mixture import Mixture, train
from stages.perception import Imagined, Vocabulary, projection
from stages.runner import Run, arguments

BUDGET = 1600
SPOKEN = 0.75  # share of conversations that are spoken
HEARD, SEEN = 0.6, 0.6  # shares of turns
WRONG_CODES = 0.05


def last_question(mixture, turns):
    """The sequence of a conversation up to the header of its last reply."""
    sequence = mixture.sequence(turns, mixture.codes)
    prompt = collate([sequence])
    return sequence, {k: v[:, :sequence.begin] for k, v in prompt.items()}


@torch.no_grad()
def replies(parts, mixture, skills, count, project=None, most_steps=250):
    """Free-running replies under the runtime's rules. -> list of dicts with text ids, frames and agreement."""
    for module in parts.values():
        module.eval()
    rows = []
    for i in range(count):
        turns = mixture.talk.draw(mixture.rng, skills[i % len(skills)])
        answer = turns[-1].answer
        sequence, prompt = last_question(mixture, turns)
        features = project(parts, [sequence]) if project else None
        x = omni.embed(parts["lm"].model.embed_tokens, parts["audio"], prompt["text"], prompt["codes"], features)
        steps = omni.generate(parts["lm"], parts["audio"], parts["heads"], x, min(most_steps, 60 + 60 * len(answer)) if answer else 3)
        text = [s[2] for s in steps if s[2] >= 0]
        encode = mixture.layout.encode
        truth = [t for k, s in enumerate(answer) for t in encode(s) + [omni.PAUSE if k < len(answer) - 1 else omni.TEXT_EOS]]
        if not answer:
            rows.append({"text_exact": text[0] == sequence.text[sequence.begin]})
            continue
        frames = [(a[3][0], *b[3][1:]) for a, b in zip(steps, steps[1:]) if a[3][0] != omni.CODE_END]
        wanted = [tuple(int(v) + omni.CODE_OFFSET for v in f) for s in answer for f in mixture.codes(s)]
        rows.append({"answer": answer, "text": text, "frames": frames, "text_exact": text == truth,
                     "ended": steps[-1][4] == "END", "length_ratio": len(frames) / len(wanted),
                     "semantic_exact": sum(a[0] == b[0] for a, b in zip(frames, wanted)) / len(wanted)})
    for module in parts.values():
        module.train()
    return rows


def summary(rows):
    out = {}
    for name in ("text_exact", "ended", "length_ratio", "semantic_exact"):
        values = [float(r[name]) for r in rows if name in r]
        out[name] = round(sum(values) / max(1, len(values)), 3)
    return out


def main():
    parser = arguments(__doc__, minutes=25, rate=2.5e-3)
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    layout, codes, parts = Layout(language.tokenizer()), Codes(), language.modules()
    language.start_from("text", parts)
    vocabulary = Vocabulary(layout.encode)
    project, senses = projection(vocabulary), Imagined(vocabulary)
    run = Run("speech", args, parts)
    test = [("typed", Mixture(layout, 424242, codes, 1.0)), ("heard and seen", Mixture(layout, 424242, codes, 1.0, senses, 1.0, 1.0)),
            ("heard and seen, unheard wordings", Mixture(layout, 424243, codes, 1.0, senses, 1.0, 1.0, unheard=True))]
    if not args.test:
        train(run, parts, Mixture(layout, run.step + args.seed, codes, SPOKEN, senses, HEARD, SEEN), BUDGET, project, test,
              wrong_codes=WRONG_CODES)
    for name, mixture in test:
        print("free-running,", name, summary(replies(parts, mixture, ["fact", "scene", "stopped", "name"], 60, project)), flush=True)


if __name__ == "__main__":
    main()
