"""Positions as the runtime lays them out (spec 1.7, 5.1, 5.6): prompts, spoken and written replies, training
batches."""

from dataclasses import dataclass, field
import re

import numpy as np

from reference.omni import (
    AUDIO_BEGIN,
    AUDIO_END,
    AUDIO_PAD,
    CODE_END,
    CODE_OFFSET,
    CODE_PAD,
    IMAGE_PAD,
    PAUSE,
    TEXT_EOS,
    TEXT_PAD,
)
from domain.facts import BREATH
from domain.tokenizer import WAIT
from domain.tools import TEMPLATE, call_text, declared
from domain.words import sentence

SILENT = (CODE_PAD,) * 4


@dataclass
class Sequence:
    """Positions with the targets they carry: text, semantic and acoustic ids that the position before must predict."""

    text: list = field(default_factory=list)
    codes: list = field(default_factory=list)
    learn_text: list = field(default_factory=list)
    learn_semantic: list = field(default_factory=list)
    learn_acoustic: list = field(default_factory=list)
    begins: list = field(default_factory=list)  # where the reply began that the position belongs to
    begin: int = 0
    last_turn: str = ""  # kind of the last question
    features: list = field(default_factory=list)  # `stages.perception.Feature`s in reading order

    def add(self, text, codes=SILENT, learn=(False, False, False)):
        self.text.append(text)
        self.codes.append(codes)
        self.begins.append(self.begin)
        for target, flag in zip((self.learn_text, self.learn_semantic, self.learn_acoustic), learn):
            target.append(flag)

    def add_text(self, ids, learn=False):
        for i in ids:
            self.add(i, learn=(learn, False, False))

    def slots(self):
        """Where the features stand."""
        text = np.asarray(self.text)
        return np.flatnonzero((text == AUDIO_PAD) | (text == IMAGE_PAD))

    def __len__(self):
        return len(self.text)


class Layout:
    def __init__(self, tokenizer):
        self.encode = tokenizer.encode

    def user_text(self, sequence, text):
        sequence.add_text(self.encode("USER:") + self.encode(text) + self.encode("\n"))

    def user_audio(self, sequence, features, units=()):
        """A live turn (spec 5.3, 5.6): a frame unit before every second of audio, surplus units first.

        `features`: as many positions as its length; `units`: [(stamp, feature)].
        """
        sequence.add_text(self.encode("USER:"))
        chunks, begin = -(-len(features) * 2 // 25), 0
        surplus = max(0, len(units) - chunks)
        self.images(sequence, units[:surplus])
        for chunk in range(chunks):
            self.images(sequence, units[surplus + chunk : surplus + chunk + 1])
            last = surplus + chunk + 1 >= len(units)
            end = len(features) if last else min(len(features), begin + 12 + chunk % 2)
            sequence.add_text(([] if chunk else [AUDIO_BEGIN]) + [AUDIO_PAD] * (end - begin))
            sequence.features.append(features[begin:end])
            begin = end
            if last:
                break
        sequence.add_text([AUDIO_END] + self.encode("\n"))

    def tools(self, sequence, signatures):
        """The system turn that tells of tools."""
        self.framed(sequence, TEMPLATE["tools"]["turn"], declared(signatures))

    def framed(self, sequence, frame, text):
        """A text within its frame; each piece is encoded by itself, as the runtime does."""
        before, after = frame.split("{}")
        for piece in (before, text, *re.split("(\n)", after)):
            sequence.add_text(self.encode(piece))

    def result(self, sequence, text):
        """What a tool gave."""
        self.framed(sequence, TEMPLATE["result"], text)

    def images(self, sequence, units):
        for stamp, tokens in units:
            sequence.add_text(self.encode(f"second{{{stamp:.1f}}}:") + [IMAGE_PAD] * len(tokens))
            sequence.features.append(tokens)

    def header(self, sequence, spoken):
        sequence.add_text(self.encode("VOICE ASSISTANT:" if spoken else "ASSISTANT:"))
        sequence.begin = len(sequence)

    def reply(self, sequence, turn, codes_of):
        """The answer to `turn`, spoken where `codes_of` is given, up to and with the newline that ends the turn;
        nothing where nothing of it was heard, as in the runtime."""
        if turn.heard == 0:
            return
        self.header(sequence, codes_of is not None)
        if not turn.answer and not turn.call:
            sequence.add_text([WAIT], learn=True)
            return
        segments, kept = self.heard_part(turn)
        if codes_of is None:
            self.written(sequence, segments, kept, turn.call)
        else:
            self.spoken(sequence, segments, kept, codes_of, turn.call)
        sequence.add_text(self.encode("\n"))

    def heard_part(self, turn):
        """-> (segments, text tokens kept of the last one, or None where the whole reply was heard)."""
        if turn.heard is None:
            return turn.answer, None
        whole = turn.heard - turn.heard % BREATH
        segments = turn.answer[: -(-turn.heard // BREATH)]
        if whole == turn.heard:
            return segments, len(self.encode(segments[-1])) + 1
        kept = len(
            self.encode(sentence(", ".join(turn.items[whole : turn.heard])))
        )  # its full stop stands for the comma
        return segments, kept

    def written(self, sequence, segments, kept, call=None):
        ids = self.encode(" ".join(segments))
        if kept is not None:
            ids = ids[: len(ids) - len(self.encode(segments[-1])) + kept]
        sequence.add_text(ids + (self.encode(call_text(*call)) if call else []), learn=True)
        sequence.add_text([TEXT_EOS], learn=kept is None)

    def spoken(self, sequence, segments, kept, codes_of, call=None):
        """Text runs densely ahead; acoustics lag by one step; a segment of n frames takes n + 1 steps. A call follows
        as text without speech.

        A reply that was cut keeps `kept` steps of its last segment and is closed as the runtime closes it (spec 6.5).
        """
        for k, segment in enumerate(segments):
            last = k == len(segments) - 1 and not call
            ids = self.encode(segment) + [TEXT_EOS if last and kept is None else PAUSE]
            frames = codes_of(segment) + CODE_OFFSET
            n = len(frames)
            assert len(ids) <= n + 1, f"text longer than its speech: {segment}"
            cut = last and kept is not None and kept < len(ids)
            for step in range(kept if cut else n + 1):
                semantic = int(frames[step, 0]) if step < n else CODE_END
                acoustic = tuple(int(v) for v in frames[step - 1, 1:]) if step else (CODE_PAD,) * 3
                spoken = step < len(ids)
                sequence.add(ids[step] if spoken else TEXT_PAD, (semantic, *acoustic), (spoken, True, step > 0))
            if last and kept is not None:
                acoustic = tuple(int(v) for v in frames[kept - 1, 1:]) if cut else (CODE_PAD,) * 3
                sequence.add(TEXT_EOS, (CODE_END, *acoustic))
        if call:
            sequence.add_text(self.encode(call_text(*call)) + [TEXT_EOS], learn=True)
