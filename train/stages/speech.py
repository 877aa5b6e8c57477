"""Stage 2: written question -> spoken reply, with text-only batches mixed in.

python3 train/stages/speech.py --minutes 25      python3 train/stages/speech.py --test
"""
import os
import random
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.encode import Codes
from data.layout import Layout, Sequence, batches, collate
from domain import scenes
from reference import omni
from stages import language
from stages.runner import Run, arguments
from stages.text import BUDGET, Questions, exact, held_out_questions, typed, written

WRITTEN_SHARE = 0.15
MOST_SEGMENTS = 3  # long recitations are cut short in training, which keeps batches small


def spoken(layout, questions, codes, rng):
    """One written question with its spoken reply; sentences without recorded codes are drawn again."""
    while True:
        question, answer, scene = questions.draw(rng)
        if all(s in codes.at for s in answer) and (len(answer) <= MOST_SEGMENTS or rng.random() < 0.3):
            break
    sequence = Sequence()
    before = "second{0.0}:" + scenes.as_text(scene) + " " if scene else ""
    layout.user_text(sequence, before + typed(question, rng))
    layout.spoken_reply(sequence, answer, codes)
    return sequence


def step_losses(parts, batch, hidden, shown):
    loss = language.text_loss(parts, batch, hidden, shown)
    if batch["learn_semantic"].any():
        loss = loss + language.code_loss(parts, batch, hidden, shown)
    return loss


@torch.no_grad()
def replies(parts, layout, questions_and_prompts, codes, most_steps=250):
    """Free-running replies under the runtime's rules. -> list of dicts with text ids, frames and agreement."""
    for module in parts.values():
        module.eval()
    rows = []
    for (question, answer), prompt in questions_and_prompts:
        steps = omni.generate(parts["lm"], parts["audio"], parts["heads"], prompt, most_steps)
        text = [s[2] for s in steps if s[2] >= 0]
        truth = [i for k, s in enumerate(answer) for i in layout.encode(s) + [omni.PAUSE if k < len(answer) - 1 else omni.TEXT_EOS]]
        frames = [(a[3][0], *b[3][1:]) for a, b in zip(steps, steps[1:]) if a[3][0] != omni.CODE_END]
        wanted = [tuple(int(v) + omni.CODE_OFFSET for v in f) for s in answer for f in codes(s)]
        rows.append({"question": question, "answer": answer, "text": text, "text_exact": text == truth, "frames": frames,
                     "ended": steps[-1][4] == "END", "length_ratio": len(frames) / len(wanted),
                     "semantic_exact": sum(a[0] == b[0] for a, b in zip(frames, wanted)) / len(wanted)})
    for module in parts.values():
        module.train()
    return rows


def text_prompt(parts, layout, question):
    sequence = Sequence()
    layout.user_text(sequence, question)
    sequence.add_text(layout.encode("VOICE ASSISTANT:"))
    batch = collate([sequence])
    return omni.embed(parts["lm"].model.embed_tokens, parts["audio"], batch["text"], batch["codes"])


def summary(rows):
    mean = lambda name: sum(float(r[name]) for r in rows) / len(rows)
    return {name: round(mean(name), 3) for name in ("text_exact", "ended", "length_ratio", "semantic_exact")}


def main():
    parser = arguments(__doc__, minutes=25, rate=2e-3)
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    layout, questions, codes, parts = Layout(language.tokenizer()), Questions(), Codes(), language.modules()
    language.start_from("text", parts)
    run = Run("speech", args, parts)
    rng = random.Random(run.step + args.seed)
    test = [(q, a) for q, a in held_out_questions() if all(s in codes.at for s in a)][:40]
    if not args.test:
        draw = lambda: written(layout, questions, rng) if rng.random() < WRITTEN_SHARE else spoken(layout, questions, codes, rng)
        for step, group in zip(run, batches(draw, rng, BUDGET)):
            batch, shown = collate(group), {}
            hidden = language.hidden_states(parts, batch)
            run.update(step_losses(parts, batch, hidden, shown), **shown)
            run.show(identity=language.control_experts(parts["lm"], run.progress()))
            if step % 400 == 399:
                run.show(held_out_exact=exact(parts, layout, language.tokenizer(), test))
    rows = replies(parts, layout, [(t, text_prompt(parts, layout, t[0])) for t in test], codes)
    print("free-running, held-out questions:", summary(rows))


if __name__ == "__main__":
    main()
