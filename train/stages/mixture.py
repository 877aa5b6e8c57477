"""Training sequences of every kind from the conversations of the domain: typed, heard and seen; written and spoken."""

import random

import numpy as np
import torch

from data.layout import Sequence
from domain import scenes
from domain.calls import CALL_SHARES
from domain.conversation import KIND_SHARE, SHARES, random_view
from domain.corpus import sentence_case
from domain.tools import TOOL_SHARES, Tools
from stages import language
from stages.learner import batch_of
from stages.packed import Packer, Shape
from stages.perception import Feature, Imagined

LONG = 3  # replies of more segments are mostly drawn again, which keeps batches small
WHOLE = {*CALL_SHARES, *TOOL_SHARES}  # skills whose conversations are taken as they come
READ = {"wide"}  # kinds that are typed and answered in writing only
ENDLESS = 80  # turns of a call that goes on until a row is full


class Mixture:
    """`draw()` gives one sequence. `spoken`, `heard`, `seen`: shares of conversations that are spoken, of turns that
    are heard (where a recording exists) and of scenes that come as pictures rather than as words. `filled`: the least
    and the most positions after which whole calls end; without it they have up to twenty turns."""

    def __init__(
        self,
        layout,
        seed,
        codes=None,
        spoken=0.0,
        senses=None,
        heard=0.0,
        seen=0.0,
        unheard=False,
        long=0.3,
        shares=SHARES,
        kind_share=KIND_SHARE,
        look_share=None,
        filled=None,
    ):
        self.layout, self.codes, self.rng = layout, codes, random.Random(seed)
        self.talk = Tools(
            unheard,
            senses.scene if senses else random_view,
            kind_share,
            *((senses.starts, senses.salads) if senses else ((), ())),
            look_share,
        )
        self.talk.recorded = getattr(senses, "voices", ())
        self.spoken, self.senses, self.heard, self.seen, self.long, self.shares, self.filled = (
            spoken,
            senses,
            heard,
            seen,
            long,
            shares,
            filled,
        )

    def draw(self, skill=None):
        name = skill or self.skill()
        if name == "call" and self.filled:
            codes = self.codes if self.rng.random() < self.spoken else None
            return self.sequence(self.talk.draw(self.rng, name, turns=ENDLESS), codes, self.rng.uniform(*self.filled))
        turns = self.talk.draw(self.rng, name)
        while (
            name not in WHOLE
            and max(len(t.answer) for t in turns if t.heard is None or t is turns[-1]) > LONG
            and self.rng.random() > self.long
        ):
            name = skill or self.skill()
            turns = self.talk.draw(self.rng, name)
        spoken = turns[-1].kind not in READ and self.rng.random() < self.spoken
        return self.sequence(turns, self.codes if spoken else None)

    def skill(self):
        return self.rng.choices(list(self.shares), list(self.shares.values()))[0]

    def sequence(self, turns, codes, enough=None):
        """`enough`: positions after which a call ends."""
        sequence, second = Sequence(), self.rng.choice((0, self.rng.uniform(0, 30), self.rng.uniform(0, 600)))
        if turns[0].tools:
            self.layout.tools(sequence, turns[0].tools)
        for turn in turns:
            self.user(sequence, turn, second)
            sequence.last_turn = turn.kind
            self.layout.reply(sequence, turn, codes)
            second += self.rng.uniform(2, 15)
            if enough and len(sequence) >= enough:
                break
        return sequence

    def user(self, sequence, turn, second):
        if turn.result is not None:
            return self.layout.result(sequence, turn.result)
        encode = self.layout.encode
        units = self.units(turn, second)
        heard = self.senses and turn.kind not in READ and self.rng.random() < self.heard
        if heard:
            self.layout.user_audio(sequence, self.voice(turn), units)
            return
        sequence.add_text(encode("USER:"))
        if turn.scene and not units:
            sequence.add_text(encode(f"second{{{second:.1f}}}:") + encode(scenes.as_text(turn.scene, turn.motion)))
        self.layout.images(sequence, units)
        question = turn.said
        if question and self.rng.random() < 0.3:
            question = sentence_case(question) if turn.kind != "unfinished" else question[0].upper() + question[1:]
        sequence.add_text(encode(question) + encode("\n"))

    def voice(self, turn):
        """What is said before the question comes in another voice, and with the silence around both: the ear remembers
        little."""
        question = self.senses.voice(turn.question, self.rng)
        before = self.senses.voice(turn.before, self.rng) if turn.before else None
        if before is None:
            return question
        if before.kind != question.kind:  # one of them was never recorded
            before, question = (Imagined.voice(self.senses, text, self.rng) for text in (turn.before, turn.question))
        return Feature(question.kind, np.concatenate((before.data, question.data)))

    def units(self, turn, second):
        if not turn.scene or not self.senses or self.rng.random() >= self.seen:
            return []
        count = self.rng.choice((1, 1, 2, 2, 3, 4))
        return [
            (second + i, unit) for i, unit in enumerate(self.senses.units(turn.scene, turn.motion, self.rng, count))
        ]


@torch.no_grad()
def exact(parts, mixture, vocabulary, tables, per_skill=24, skills=tuple(SHARES)):
    """-> {skill: share of conversations whose last reply has the right text}, each token given the right ones
    before."""
    device, shape, out = next(parts["lm"].parameters()).device, Shape(rows=8), {}
    for skill in skills:
        sequences, right, count = [mixture.draw(skill) for _ in range(per_skill)], 0, 0
        ready = iter(sequences)
        packer, flat = Packer(shape, lambda: next(ready, None)), torch.zeros(shape.size, dtype=torch.int32).numpy()
        while count < per_skill:
            placed = packer.fill(flat)
            if not placed:
                break
            batch = batch_of(shape, torch.from_numpy(flat).to(device))
            hidden, _ = language.hidden_of(parts, shape, batch, vocabulary, tables)
            wrong = parts["lm"].lm_head(hidden[batch["text_at"]]).argmax(-1) != batch["text_wanted"]
            failed = {int(i) for i in batch["text_owner"][wrong].unique()} - {-1}
            right, count = right + len(placed) - len(failed), count + len(placed)
        out[skill] = right / max(1, count)
    return out


def table(scores):
    mean = sum(scores[s] * SHARES[s] for s in scores) / sum(SHARES[s] for s in scores)
    return f"{mean:.3f}: " + " ".join(f"{k} {v:.2f}" for k, v in scores.items())
