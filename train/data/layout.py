"""Positions as the runtime lays them out (spec 1.7, 5.1, 5.6): prompts, spoken and written replies, training batches."""
from dataclasses import dataclass, field

import numpy as np
import torch

from reference.omni import AUDIO_BEGIN, AUDIO_END, AUDIO_PAD, CODE_END, CODE_OFFSET, CODE_PAD, IMAGE_PAD, PAUSE, TEXT_EOS, TEXT_PAD

SILENT = (CODE_PAD,) * 4


@dataclass
class Sequence:
    """Positions with the targets they carry: text, semantic and acoustic ids that the position before must predict."""
    text: list = field(default_factory=list)
    codes: list = field(default_factory=list)
    learn_text: list = field(default_factory=list)
    learn_semantic: list = field(default_factory=list)
    learn_acoustic: list = field(default_factory=list)
    features: list = field(default_factory=list)  # tensors [n, hidden or inputs] in reading order

    def add(self, text, codes=SILENT, learn=(False, False, False)):
        self.text.append(text)
        self.codes.append(codes)
        for target, flag in zip((self.learn_text, self.learn_semantic, self.learn_acoustic), learn):
            target.append(flag)

    def add_text(self, ids, learn=False):
        for i in ids:
            self.add(i, learn=(learn, False, False))

    def __len__(self):
        return len(self.text)


class Layout:
    def __init__(self, tokenizer):
        self.encode = tokenizer.encode

    def user_text(self, sequence, text):
        sequence.add_text(self.encode("USER:") + self.encode(text) + self.encode("\n"))

    def user_audio(self, sequence, features, units=()):
        """`features` [n, x] go between the audio markers; `units` [(stamp, tokens [k, x])] come first (spec 5.3)."""
        sequence.add_text(self.encode("USER:"))
        self.images(sequence, units)
        sequence.add_text([AUDIO_BEGIN] + [AUDIO_PAD] * len(features) + [AUDIO_END])
        sequence.features.append(features)
        sequence.add_text(self.encode("\n"))

    def images(self, sequence, units):
        for stamp, tokens in units:
            sequence.add_text(self.encode(f"second{{{stamp:.1f}}}:") + [IMAGE_PAD] * len(tokens))
            sequence.features.append(tokens)

    def written_reply(self, sequence, segments):
        sequence.add_text(self.encode("ASSISTANT:"))
        sequence.add_text(self.encode(" ".join(segments)) + [TEXT_EOS], learn=True)

    def spoken_reply(self, sequence, segments, codes_of):
        """Text runs densely ahead; acoustics lag by one step; a segment of n frames takes n + 1 steps."""
        sequence.add_text(self.encode("VOICE ASSISTANT:"))
        for k, segment in enumerate(segments):
            ids = self.encode(segment) + [TEXT_EOS if k == len(segments) - 1 else PAUSE]
            frames = codes_of(segment) + CODE_OFFSET
            n = len(frames)
            assert len(ids) <= n + 1, f"text longer than its speech: {segment}"
            for step in range(n + 1):
                semantic = int(frames[step, 0]) if step < n else CODE_END
                acoustic = tuple(int(v) for v in frames[step - 1, 1:]) if step else (CODE_PAD,) * 3
                spoken = step < len(ids)
                sequence.add(ids[step] if spoken else TEXT_PAD, (semantic, *acoustic), (spoken, True, step > 0))


def collate(sequences):
    """-> dict of padded tensors; features stay a list because encoders may still have to run on them."""
    longest = max(map(len, sequences))
    out = {"text": np.full((len(sequences), longest), TEXT_PAD), "codes": np.full((len(sequences), longest, 4), CODE_PAD)}
    for name in ("learn_text", "learn_semantic", "learn_acoustic"):
        out[name] = np.zeros((len(sequences), longest), bool)
    for row, s in enumerate(sequences):
        for name in out:
            out[name][row, :len(s)] = getattr(s, name)
    return {name: torch.from_numpy(x) for name, x in out.items()}


def batches(draw, rng, budget, pool=384):
    """Endless lists of sequences of similar length, at most `budget` positions each after padding."""
    while True:
        ready, groups, group = sorted((draw() for _ in range(pool)), key=len), [], []
        for sequence in ready:
            if group and len(sequence) * (len(group) + 1) > budget:
                groups.append(group)
                group = []
            group.append(sequence)
        groups.append(group)
        rng.shuffle(groups)
        yield from groups
