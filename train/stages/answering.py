"""Stage 6: ear and language model learn together from what is answered.

The word head alone asks of the ear what was said; here a mishearing costs as much as it changes the answer. Questions are encoded as they
come, with other noise and another tract every time, so that the language model hears none twice. Pictures come from the tables of
`stages/encoded.py`.

Half of the conversations are calls (`domain/calls.py`), in rows that hold them; every fourth batch is one row for the longest.

python3 train/stages/answering.py --steps 2000

What it reaches replaces the modules in the checkpoints it began from.
"""
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data.encode import Codes
from data.layout import Layout
from domain.calls import CALL_SHARES
from domain.corpus import heard_words
from paths import cache
from reference.audio_encoder import AudioEncoder
from stages import audio_encoder as ear
from stages import language
from stages.averaged import Averaged
from stages.encoded import LIKELY, Recorded, Tables
from stages.mixture import Mixture
from stages.learner import batch_of
from stages.packed import Packer, Shape
from stages.perception import Vocabulary
from stages.runner import arguments, trained
from stages.senses import KINDS, LOOKS, SKILLS

SHAPES = (Shape(2, 1024),) * 3 + (Shape(1, 2048),)
SPOKEN, HEARD, SEEN = 0.6, 0.93, 0.9  # shares of conversations, of turns, of scenes
CALLS = 0.5  # share of conversations that are calls
WRONG_CODES = 0.05
WORDS = 0.3  # weight of the word head's loss
SHORTEST = 20  # frames; `ear.augment` makes nothing shorter


def said():
    """-> (texts, kinds) of all recordings, in the order of `ear.Questions`."""
    columns = [], []
    for path in ear.files():
        with np.load(path) as part:
            for column, name in zip(columns, ("texts", "kinds")):
                column.extend(part[name].tolist())
    return columns


class Live(Recorded):
    """Recorded questions by the numbers of their vectors, which are encoded when they are needed: 1, 2, ... over all recordings."""

    def __init__(self, vocabulary, words, device):
        super().__init__(vocabulary)
        self.tables, self.questions = Tables.load(device), ear.Questions(words, device, ear.files())
        counts = -(-self.questions.lengths // ear.STRIDE)
        self.begins, self.voices, kinds = 1 + np.cumsum([0, *counts[:-1]]), {}, {"prefix": set(), "salad": set()}
        for text, kind, begin, count, length in zip(*said(), self.begins, counts, self.questions.lengths):
            if length >= SHORTEST:
                self.voices.setdefault(text, []).append((begin, count))
                kinds.setdefault(kind, set()).add(text)
        self.starts, self.salads = sorted(kinds["prefix"]), sorted(kinds["salad"])

    def encoded(self, rows, encoder, stats, rng):
        """rows [n] of any recordings, 0 for none -> (tables of those recordings alone, the rows there, loss of the word head)."""
        device, rows = self.questions.data.device, rows.cpu().numpy()
        which = np.searchsorted(self.begins, rows, "right") - 1
        chosen = np.unique(which[rows > 0])
        x, lengths = self.questions.batch(chosen)
        drawn = {name: torch.from_numpy(value).to(device) for name, value in ear.draw(len(chosen), rng).items()}
        drawn["warp"][:], drawn["late"][:], drawn["mask_width"][:] = 1, 0, 0  # as many vectors as were counted
        x, late, lengths = ear.augment(x, lengths, drawn)
        inputs, valid, counts = ear.vectors(x, late, lengths, stats)
        hidden = encoder(inputs, valid)
        log_shares = encoder.output(hidden).log_softmax(-1)
        targets, sizes = self.questions.words_of(chosen)
        words = ear.spelling(log_shares, targets, counts, sizes)
        share, word = log_shares[valid].detach().exp().topk(LIKELY, -1)
        none = lambda value: F.pad(value, (0, 0, 1, 0))
        tables = Tables(none(hidden[valid]), none(word), none(share), self.tables.eye, self.tables.eye_labels)
        first = np.zeros(len(self.begins), int)
        first[chosen] = 1 + np.cumsum([0, *counts.tolist()[:-1]])
        local = np.where(rows > 0, first[which] + rows - self.begins[which], 0)
        return tables, torch.from_numpy(local).to(device), words


def shares():
    """Calls as often as all else together."""
    scale = CALLS / (1 - CALLS) * sum(SKILLS.values()) / sum(CALL_SHARES.values())
    return {**SKILLS, **{name: share * scale for name, share in CALL_SHARES.items()}}


def hand_over(stage, modules):
    """Puts modules into the checkpoint of a stage, which begins its optimiser anew."""
    state = torch.load(cache(f"{stage}.pt"), map_location="cpu", weights_only=False)
    for name, module in modules.items():
        state["modules"][name] = {key: value.cpu() for key, value in module.state_dict().items()}
    torch.save({**state, "optimiser": None}, cache(f"{stage}.pt.new"))
    os.replace(cache(f"{stage}.pt.new"), cache(f"{stage}.pt"))


def main():
    args = arguments(__doc__, minutes=20, rate=1e-4).parse_args()
    words, stats, layout = heard_words(), np.load(cache("audio_cmvn.npz"))["stats"], Layout(language.tokenizer())
    parts, encoder = language.modules(), trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(words)))
    stage = language.start_from(("polish", "shipped"), parts)
    run = Averaged("answering", args, {"encoder": encoder, **parts}, weight_decay=0.0)
    vocabulary = Vocabulary(layout.encode).to(run.device)
    senses, seed = Live(vocabulary, words, run.device), run.step + args.seed
    mixture = Mixture(layout, seed, Codes(), SPOKEN, senses, HEARD, SEEN, long=0.05, shares=shares(), kind_share=KINDS, look_share=LOOKS)
    packers, rng = {shape: Packer(shape, mixture.draw) for shape in set(SHAPES)}, np.random.default_rng(seed)
    for step in run:
        shape = SHAPES[step % len(SHAPES)]
        flat, shown = torch.zeros(shape.size, dtype=torch.int32), {}
        packers[shape].fill(flat.numpy())
        batch = batch_of(shape, flat.to(run.device))
        tables, batch["ear"], spelling = senses.encoded(batch["ear"], encoder, stats, rng)
        hidden, tie = language.hidden_of(parts, shape, batch, vocabulary, tables, WRONG_CODES)
        answering = language.text_loss(parts, batch, hidden, shown) + language.code_loss(parts, batch, hidden, shown)
        run.update(answering + WORDS * spelling + language.TIE * tie, tie=tie, spelling=spelling, **shown)
    with run.averaged():
        hand_over("audio_encoder", {"encoder": encoder})
        hand_over(stage, parts)
    os.remove(cache("answering.pt"))


if __name__ == "__main__":
    main()
