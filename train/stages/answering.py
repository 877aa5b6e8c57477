"""Stage 6: ear and language model learn together from what is answered.

The word head alone asks of the ear what was said; here a mishearing costs as much as it changes the answer. Questions
are encoded as they come, with other noise and another tract every time, so that the language model hears none twice.
Pictures come from the tables of `stages/encoded.py`.

Short rows hold single questions, conversations with tools (`domain/tools.py`) and short calls (`domain/calls.py`);
every third batch is two long rows, where most are whole calls that fill them, as a call of ten minutes fills its
context: to find the question among all others is learnt last, and single questions must not be lost for it. The shares
are the same in every piece.

What the model has never read costs most at first and would rock all else: for the first `--lead` steps only the rows of
what tools alone bring (tags, digits, pieces of names) learn, faster. `--new` is a piece for what is new: short rows
alone, most of them with tools. `--same-ear` leaves the ear as it is, which takes two thirds of the time.

python3 train/stages/answering.py --steps 300 --seed 1          python3 train/stages/answering.py --test

What it reaches replaces the modules in the checkpoints it began from.
"""

import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data.encode import Codes
from data.layout import Layout
from domain import corpus, tools
from domain.calls import for_the_test, with_calls
from domain.corpus import heard_words
from paths import cache
from reference.audio_encoder import AudioEncoder
from stages import audio_encoder as ear
from stages import language
from stages.averaged import Averaged
from stages.encoded import LIKELY, Recorded, Tables
from stages.grown import adopt
from stages.mixture import Mixture
from stages.learner import batch_of
from stages.packed import Packer, Shape
from stages.perception import Vocabulary
from stages.runner import arguments, trained
from stages.senses import KINDS, LOOKS, SKILLS

ROWS, SHORT_ROWS = (Shape(4, 512), Shape(4, 512), Shape(2, 1536)), (Shape(4, 512),)
CALLS, WHOLE_CALLS = (
    0.4,
    12,
)  # share of the conversations that are calls; how much more often long rows hold one of up to twenty turns
SPOKEN, HEARD, SEEN = 0.7, 0.93, 0.9  # shares of conversations, of turns, of scenes
SINGLE = {
    **SKILLS,
    "fact": 120,
    "bare": 150,
    "stopped": 130,
    "continue": 25,
    "tool": 300,
    "tooled": 260,
}  # calls ask rarely where a recitation stopped
NEW = {"tool": 1000, "tooled": 500}  # with `--new`
WRONG_CODES = 0.05
FILLED, LAST_TURN = (
    0.3,
    150,
)  # share of a long row after which whole calls end at the least; what is left at its end for the last turn
LEAD_HASTE, WARM_AFTER_LEAD = (
    120,
    80,
)  # times the rate: these rows mean nothing yet; steps until all others learn at the full rate
WORDS = 0.3  # weight of the word head's loss
SHORTEST = 20  # frames; `ear.augment` makes nothing shorter


def said(files):
    """-> (texts, kinds) of all recordings, in the order of `ear.Questions`."""
    columns = [], []
    for path in files:
        with np.load(path) as part:
            for column, name in zip(columns, ("texts", "kinds")):
                column.extend(part[name].tolist())
    return columns


class Live(Recorded):
    """Recorded questions by the numbers of their vectors, which are encoded when they are needed: 1, 2, ... over all
    recordings."""

    def __init__(self, vocabulary, words, device, files):
        super().__init__(vocabulary)
        self.tables, self.questions = Tables.load(device), ear.Questions(words, device, files)
        counts = -(-self.questions.lengths // ear.STRIDE)
        self.begins, self.voices, kinds = 1 + np.cumsum([0, *counts[:-1]]), {}, {"prefix": set(), "salad": set()}
        for text, kind, begin, count, length in zip(*said(files), self.begins, counts, self.questions.lengths):
            if length >= SHORTEST:
                self.voices.setdefault(text, []).append((begin, count))
                kinds.setdefault(kind, set()).add(text)
        self.starts, self.salads = sorted(kinds["prefix"]), sorted(kinds["salad"])

    def encoded(self, rows, encoder, stats, rng, changed=True, bending=False):
        """rows [n] of any recordings, 0 for none -> (tables of those recordings alone, the rows there, loss of the word
        head)."""
        device, rows = self.questions.data.device, rows.cpu().numpy()
        which = np.searchsorted(self.begins, rows, "right") - 1
        chosen = np.unique(which[rows > 0])
        x, lengths = self.questions.batch(chosen)
        drawn = {
            name: torch.from_numpy(value).to(device) for name, value in ear.draw(len(chosen), rng, bending).items()
        }
        drawn["warp"][:], drawn["late"][:], drawn["mask_width"][:] = 1, 0, 0  # as many vectors as were counted
        x, late, lengths = ear.augment(x, lengths, drawn) if changed else (x, drawn["late"], lengths)
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


def hand_over(stage, modules):
    """Puts modules into the checkpoint of a stage, which begins its optimiser anew."""
    state = torch.load(cache(f"{stage}.pt"), map_location="cpu", weights_only=False)
    for name, module in modules.items():
        state["modules"][name] = {key: value.cpu() for key, value in module.state_dict().items()}
    torch.save({**state, "optimiser": None}, cache(f"{stage}.pt.new"))
    os.replace(cache(f"{stage}.pt.new"), cache(f"{stage}.pt"))


@torch.no_grad()
def test(parts, encoder, vocabulary, words, stats, layout):
    """Prints for each skill the share of last replies with the right text, each token given the right ones before;
    unseen voices."""
    senses, scores, shape = Live(vocabulary, words, "cpu", [cache("test-calls.npz")]), {}, Shape(1, 2048)
    mixture = Mixture(layout, 1, Codes(), 1.0, senses, 1.0, 0.0)
    for skill, conversations in {**for_the_test(), **tools.for_the_test()}.items():
        ready, failed, count = iter([mixture.sequence(turns, mixture.codes) for turns in conversations]), 0, 0
        packer = Packer(shape, lambda: next(ready, None))
        while True:
            flat = torch.zeros(shape.size, dtype=torch.int32)
            placed = packer.fill(flat.numpy())
            if not placed:
                break
            batch = batch_of(shape, flat)
            tables, batch["ear"], _ = senses.encoded(
                batch["ear"], encoder, stats, np.random.default_rng(1), changed=False
            )
            hidden, _ = language.hidden_of(parts, shape, batch, vocabulary, tables)
            wrong = parts["lm"].lm_head(hidden[batch["text_at"]]).argmax(-1) != batch["text_wanted"]
            failed, count = (
                failed + len({int(i) for i in batch["text_owner"][wrong].unique()} - {-1}),
                count + len(placed),
            )
        scores[skill] = 1 - failed / max(1, count)
        print(f"{skill} {scores[skill]:.3f} of {count}", flush=True)


def brought_by_tools(lm, encode):
    """-> {id of a text table: ids that tools bring to it}: pieces that were never read before, and pieces that were
    never said."""
    ids = lambda texts: {i for text in texts for i in encode(text)}
    read, said = ids(corpus.tokenizer_texts()), ids(corpus.answer_segments())
    return {
        id(lm.model.embed_tokens.weight): sorted(ids(tools.all_written()) - read),
        id(lm.lm_head.weight): sorted(ids(tools.all_calls()) - said),
    }


def lead(parameters, rows, on):
    """While `on`, only `rows` of the text tables learn."""
    for parameter in parameters:
        parameter.requires_grad_(not on or id(parameter) in rows)
    if not on:
        return []
    return [
        p.register_hook(lambda gradient, keep=of_rows(p, rows[id(p)]): gradient * keep)
        for p in parameters
        if id(p) in rows
    ]


def of_rows(table, rows):
    keep = torch.zeros(table.shape[0], 1, device=table.device)
    keep[rows] = 1
    return keep


def main():
    parser = arguments(__doc__, minutes=20, rate=1e-4)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--lead", type=int, default=0, help="steps in which only the rows of what tools bring learn")
    parser.add_argument("--new", action="store_true", help="short rows alone, most of them with tools")
    parser.add_argument("--same-ear", action="store_true", help="the ear does not learn")
    parser.add_argument(
        "--bent", action="store_true", help="what is heard is bent too, as people differ (stages/bent.py)"
    )
    args = parser.parse_args()
    adopt(heard_words())
    words, stats, layout = heard_words(), np.load(cache("audio_cmvn.npz"))["stats"], Layout(language.tokenizer())
    parts, encoder = language.modules(), trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(words)))
    stage = language.start_from(("polish", "shipped"), parts)
    if args.test:
        return test(parts, encoder, Vocabulary(layout.encode), words, stats, layout)
    learning = parts if args.same_ear else {"encoder": encoder, **parts}
    run = Averaged("answering", args, learning, weight_decay=0.0)
    vocabulary, encoder = Vocabulary(layout.encode).to(run.device), encoder.to(run.device)
    senses, codes, mixtures, hooks = Live(vocabulary, words, run.device, ear.files()), Codes(), {}, []
    rows, single = (SHORT_ROWS, {**SINGLE, **NEW}) if args.new else (ROWS, SINGLE)
    new = brought_by_tools(parts["lm"], layout.encode)
    for shape in sorted(set(rows), key=lambda shape: shape.length):
        of = with_calls(single, CALLS, whole=WHOLE_CALLS if shape.length > 512 else 1)
        mixtures[shape] = Mixture(
            layout,
            0,
            codes,
            SPOKEN,
            senses,
            HEARD,
            SEEN,
            long=0.05,
            shares=of,
            kind_share=KINDS,
            look_share=LOOKS,
            filled=(FILLED * shape.length, shape.length - LAST_TURN) if shape.length > 512 else None,
        )
    for step in run:
        leads = step - run.first < args.lead
        if run.turns():
            rng, packers = np.random.default_rng(run.seed()), {s: Packer(s, m.draw) for s, m in mixtures.items()}
            for shape, mixture in mixtures.items():
                mixture.rng.seed(run.seed() + shape.length)
        if run.turns() or step - run.first == args.lead:
            for hook in hooks:
                hook.remove()
            hooks = lead(run.parameters, new, leads)
            run.haste = LEAD_HASTE if leads else 1
            if args.lead and not leads:
                run.warm_from, run.warm_steps = args.lead, WARM_AFTER_LEAD
        shape = rows[step % len(rows)]
        flat, shown = torch.zeros(shape.size, dtype=torch.int32), {}
        packers[shape].fill(flat.numpy())
        batch = batch_of(shape, flat.to(run.device))
        with torch.set_grad_enabled(not args.same_ear):
            tables, batch["ear"], spelling = senses.encoded(batch["ear"], encoder, stats, rng, bending=args.bent)
        hidden, tie = language.hidden_of(parts, shape, batch, vocabulary, tables, WRONG_CODES)
        answering = language.text_loss(parts, batch, hidden, shown, not leads) + language.code_loss(
            parts, batch, hidden, shown, not leads
        )
        run.update(answering + WORDS * spelling + language.TIE * tie, tie=tie, spelling=spelling, **shown)
    with run.averaged():
        if not args.same_ear:
            hand_over("audio_encoder", {"encoder": encoder})
        hand_over(stage, parts)
    os.remove(cache("answering.pt"))


if __name__ == "__main__":
    main()
