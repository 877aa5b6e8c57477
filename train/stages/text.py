"""Stage 1: the language model learns the domain in writing; scenes stand in words where pictures will be.

python3 train/stages/text.py --minutes 8
"""
import os
import random
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data.layout import Layout, Sequence, batches, collate
from data.synthesise import training_wordings
from domain import scenes
from domain.corpus import sentence_case
from domain.facts import all_facts
from reference.omni import TEXT_EOS
from stages import language
from stages.runner import Run, arguments

BUDGET = 2400  # positions a batch
KIND_SHARE = {"sum": 4, "difference": 4, "product": 2, "compare": 3, "order": 2, "count": 2, "recite": 0.5, "talk": 2.5}
SCENE_SHARE = 0.25


class Questions:
    """Draws training questions: kinds by share, then facts, then wordings."""

    def __init__(self):
        self.kinds = {}
        for fact in all_facts():
            if training_wordings(fact):
                self.kinds.setdefault(fact.kind, []).append(fact)
        self.names = list(self.kinds)
        self.shares = [KIND_SHARE[n] for n in self.names]

    def draw(self, rng):
        """-> (question, answer segments, scene or None)."""
        if rng.random() < SCENE_SHARE:
            scene = scenes.random_scene(rng)
            _, question, answer = rng.choice(list(scenes.questions(scene, rng)))
            return question, answer, scene
        fact = rng.choice(self.kinds[rng.choices(self.names, self.shares)[0]])
        return rng.choice(training_wordings(fact)), fact.answer, None


def typed(question, rng):
    return sentence_case(question) if question and rng.random() < 0.5 else question


def written(layout, questions, rng):
    question, answer, scene = questions.draw(rng)
    sequence = Sequence()
    before = "second{0.0}:" + scenes.as_text(scene) + " " if scene else ""
    layout.user_text(sequence, before + typed(question, rng))
    layout.written_reply(sequence, answer)
    return sequence


def held_out_questions():
    """[(question, answer text)]: number pairs and wordings that training never has."""
    rows = [(q, f.answer) for f in all_facts() for q in f.questions if q and q not in training_wordings(f)]
    return [rows[i] for i in torch.randperm(len(rows), generator=torch.Generator().manual_seed(3))[:100]]


@torch.no_grad()
def exact(parts, layout, tokenizer, rows):
    """Share of written answers that are exact."""
    lm, right = parts["lm"].eval(), 0
    for question, answer in rows:
        sequence = Sequence()
        layout.user_text(sequence, question)
        sequence.add_text(layout.encode("ASSISTANT:"))
        truth = layout.encode(" ".join(answer)) + [TEXT_EOS]
        x, cache = lm.model.embed_tokens(torch.tensor([sequence.text])), lm.new_cache()
        for wanted in truth:
            got = int(lm.lm_head(lm(x, cache)[0, -1]).argmax())
            if got != wanted:
                break
            x = lm.model.embed_tokens(torch.tensor([[got]]))
        else:
            right += 1
    lm.train()
    return right / len(rows)


def main():
    args = arguments(__doc__, minutes=8, rate=3e-3).parse_args()
    tokenizer = language.tokenizer()
    layout, questions, parts = Layout(tokenizer), Questions(), language.modules()
    run = Run("text", args, parts)
    rng = random.Random(run.step + args.seed)
    test = held_out_questions()
    for step, group in zip(run, batches(lambda: written(layout, questions, rng), rng, BUDGET)):
        batch = collate(group)
        shown = {}
        hidden = language.hidden_states(parts, batch)
        run.update(language.text_loss(parts, batch, hidden, shown), **shown)
        run.show(identity=language.control_experts(parts["lm"], run.progress()))
        if step % 300 == 299:
            run.show(held_out_exact=exact(parts, layout, tokenizer, test))
    print("held-out exact", exact(parts, layout, tokenizer, held_out_questions()))


if __name__ == "__main__":
    main()
