"""Training sequences of every kind from the conversations of the domain: typed, heard and seen; written and spoken."""
import random

import torch

from data.layout import Layout, Sequence, collate
from domain import scenes
from domain.conversation import KIND_SHARE, SHARES, Conversations, random_view
from domain.corpus import sentence_case
from reference import omni
from stages import language

LONG = 3  # replies of more segments are mostly drawn again, which keeps batches small


class Mixture:
    """`draw()` gives one sequence. `spoken`, `heard`, `seen`: shares of conversations that are spoken, of turns that are
    heard (where a recording exists) and of scenes that come as pictures rather than as words."""

    def __init__(self, layout, seed, codes=None, spoken=0.0, senses=None, heard=0.0, seen=0.0, unheard=False, long=0.3,
                 shares=SHARES, kind_share=KIND_SHARE):
        self.layout, self.codes, self.rng = layout, codes, random.Random(seed)
        self.talk = Conversations(unheard, senses.scene if senses else random_view, kind_share)
        self.spoken, self.senses, self.heard, self.seen, self.long, self.shares = spoken, senses, heard, seen, long, shares

    def draw(self, skill=None):
        turns = self.talk.draw(self.rng, skill or self.skill())
        while max(len(t.answer) for t in turns if t.heard is None or t is turns[-1]) > LONG and self.rng.random() > self.long:
            turns = self.talk.draw(self.rng, skill or self.skill())
        return self.sequence(turns, self.codes if self.rng.random() < self.spoken else None)

    def skill(self):
        return self.rng.choices(list(self.shares), list(self.shares.values()))[0]

    def sequence(self, turns, codes):
        sequence, second = Sequence(), self.rng.choice((0, self.rng.uniform(0, 30), self.rng.uniform(0, 600)))
        for turn in turns:
            self.user(sequence, turn, second)
            sequence.last_turn = turn.kind
            self.layout.reply(sequence, turn, codes)
            second += self.rng.uniform(2, 15)
        return sequence

    def user(self, sequence, turn, second):
        encode = self.layout.encode
        units = self.units(turn, second)
        voice = self.senses.voice(turn.question, self.rng) if self.senses and self.rng.random() < self.heard else None
        if voice is not None:
            self.layout.user_audio(sequence, voice, units)
            return
        sequence.add_text(encode("USER:"))
        if turn.scene and not units:
            sequence.add_text(encode(f"second{{{second:.1f}}}:") + encode(scenes.as_text(turn.scene, turn.motion)))
        self.layout.images(sequence, units)
        question = turn.question
        if question and self.rng.random() < 0.3:
            question = sentence_case(question) if turn.kind != "unfinished" else question[0].upper() + question[1:]
        sequence.add_text(encode(question) + encode("\n"))

    def units(self, turn, second):
        if not turn.scene or not self.senses or self.rng.random() >= self.seen:
            return []
        count = self.rng.choice((1, 1, 2, 2, 3, 4))
        return [(second + i, unit) for i, unit in enumerate(self.senses.units(turn.scene, turn.motion, self.rng, count))]


@torch.no_grad()
def exact(parts, mixture, per_skill=24, project=None, skills=tuple(SHARES)):
    """-> {skill: share of conversations whose last reply has the right text}, each token given the right ones before."""
    out = {}
    for module in parts.values():
        module.eval()
    for skill in skills:
        right = 0
        group = sorted((mixture.draw(skill) for _ in range(per_skill)), key=len)
        for i in range(0, len(group), 8):
            batch = collate(group[i:i + 8])
            hidden = language.hidden_states(parts, batch, project(parts, group[i:i + 8]) if project else None)
            got = parts["lm"].lm_head(hidden[:, :-1]).argmax(-1)
            last = torch.tensor([s.begin for s in group[i:i + 8]])[:, None] <= torch.arange(1, got.shape[1] + 1)
            wrong = (got != batch["text"][:, 1:]) & batch["learn_text"][:, 1:] & last
            right += int((~wrong.any(1)).sum())
        out[skill] = right / per_skill
    for module in parts.values():
        module.train()
    return out


def table(scores):
    mean = sum(scores[s] * SHARES[s] for s in scores) / sum(SHARES[s] for s in scores)
    return f"{mean:.3f}: " + " ".join(f"{k} {v:.2f}" for k, v in scores.items())


def losses(parts, batch, hidden, shown):
    loss = language.text_loss(parts, batch, hidden, shown)
    if batch["learn_semantic"].any():
        loss = loss + language.code_loss(parts, batch, hidden, shown)
    return loss


def train(run, parts, mixture, budget, project=None, test=(), every=600, wrong_codes=0.0, tie=None):
    """Runs a stage's steps; `test`: [(name, mixture)] scored now and then; `tie()`: a loss that is added."""
    from data.layout import batches
    for step, group in zip(run, batches(mixture.draw, mixture.rng, budget)):
        batch, shown = collate(group), {}
        heard = project(parts, group) if project else None
        hidden = language.hidden_states(parts, with_errors(batch, wrong_codes), heard)
        loss = losses(parts, batch, hidden, shown)
        if tie:
            shown["tie"] = tie()
            loss = loss + shown["tie"]
        run.update(loss, **shown)
        run.show(identity=language.control_experts(parts["lm"], run.progress()))
        if step % every == every - 1:
            for name, other in test:
                print(f"{run.stage} {run.total_minutes():.1f} min {name} {table(exact(parts, other, project=project))}", flush=True)
    for name, other in test:
        print(f"{run.stage} end {name} {table(exact(parts, other, 32, project))}", flush=True)


def with_errors(batch, share):
    """A copy whose spoken input codes are partly wrong, so that a reply recovers from its own slips."""
    if not share:
        return batch
    codes = batch["codes"]
    wrong = (torch.rand(codes.shape) < share) & (codes >= omni.CODE_OFFSET)
    return {**batch, "codes": torch.where(wrong, torch.randint_like(codes, omni.CODE_OFFSET, omni.CODE_OFFSET + 256), codes)}
