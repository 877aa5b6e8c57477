"""Stage 4: continuous audio. The frozen encoder hears the question, the projector speaks the language model's vectors.

The projector is first fitted to the sum of CTC posterior x text embedding, which puts heard words where written words
are; then projector and language model learn together, with written and spoken replies to written questions mixed in.

python3 train/stages/listen.py --minutes 20      python3 train/stages/listen.py --test
"""
import glob
import os
import random
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data.encode import Codes
from data.layout import Layout, Sequence, batches, collate
from domain.corpus import heard_words
from domain.facts import all_facts
from paths import cache
from reference import omni
from reference.audio_encoder import AudioEncoder, projector
from stages import audio_encoder as ear
from stages import language
from stages.runner import Run, arguments, trained
from stages.speech import MOST_SEGMENTS, replies, spoken, step_losses, summary
from stages.text import BUDGET, Questions, written

FIT_SHARE = 0.15  # of a first piece: fitting the projector alone
HEARD_SHARE, SPOKEN_SHARE = 0.6, 0.25  # the rest is written
RECORDED = 8000  # utterances encoded once per piece; the encoder is frozen


def answers_by_question():
    return {q: f for f in all_facts() for q in f.questions}


@torch.no_grad()
def listen(encoder, questions, picks, stats, rng=None):
    """Encoder outputs [n, hidden] of the picked utterances, augmented when `rng` is given."""
    out = []
    for i in range(0, len(picks), ear.BATCH):
        items = [questions[k] if rng is None else ear.augment(questions[k], rng) for k in picks[i:i + ear.BATCH]]
        inputs, valid, lengths = ear.batch_of(items, stats)
        hidden = encoder(inputs, valid)
        out += [hidden[row, :n].clone() for row, n in enumerate(lengths.tolist())]
    return out


def word_vectors(lm, layout, words):
    """[1 + words, d]: mean text embedding of every word the recogniser knows; the blank is zero."""
    table = lm.model.embed_tokens.weight.detach()
    rows = [table[layout.encode(" " + w)].mean(0) for w in words]
    return torch.stack([torch.zeros_like(rows[0])] + rows)


def heard(layout, features, answer, codes):
    sequence = Sequence()
    layout.user_audio(sequence, features)
    layout.spoken_reply(sequence, answer, codes)
    return sequence


def features_of(parts, group):
    rows = [f for s in group for f in s.features]
    return parts["projector"](torch.cat(rows)) if rows else None


@torch.no_grad()
def test(parts, layout, codes, encoder, stats, name, count=20):
    questions, known = ear.Questions([cache(f"test-{name}.npz")]), answers_by_question()
    picks = [k for k in range(len(questions)) if all(s in codes.at for s in known[questions.texts[k]].answer)][:count]
    prompts = []
    for k, hidden in zip(picks, listen(encoder, questions, picks, stats)):
        sequence = Sequence()
        layout.user_audio(sequence, hidden)
        sequence.add_text(layout.encode("VOICE ASSISTANT:"))
        batch = collate([sequence])
        x = omni.embed(parts["lm"].model.embed_tokens, parts["audio"], batch["text"], batch["codes"], parts["projector"](hidden))
        prompts.append(((questions.texts[k], known[questions.texts[k]].answer), x))
    print(f"heard, {name}: {summary(replies(parts, layout, prompts, codes))}", flush=True)


def fit_projector(parts, vectors, encoder, recorded, rng):
    hidden = torch.cat([recorded[i] for i in rng.sample(range(len(recorded)), 64)])
    with torch.no_grad():
        wanted = encoder.output(hidden).softmax(-1) @ vectors
    return F.mse_loss(parts["projector"](hidden), wanted) * nano.HIDDEN


def main():
    parser = arguments(__doc__, minutes=20, rate=1.5e-3)
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    words, stats = heard_words(), np.load(cache("audio_cmvn.npz"))["stats"]
    encoder = trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(words)))
    layout, codes, known = Layout(language.tokenizer()), Codes(), answers_by_question()
    parts = {**language.modules(), "projector": projector(nano.AUDIO)}
    language.start_from("speech", parts)
    run = Run("listen", args, parts)
    if not args.test:
        train(run, parts, encoder, stats, layout, codes, known)
    for name in ("seen", "unseen", "awb"):
        test(parts, layout, codes, encoder, stats, name)


def usable(known, codes, question, rng):
    fact = known.get(question)
    return fact and all(s in codes.at for s in fact.answer) and (len(fact.answer) <= MOST_SEGMENTS or rng.random() < 0.3)


def train(run, parts, encoder, stats, layout, codes, known):
    rng, noise = random.Random(run.step + run.args.seed), np.random.RandomState(run.step + run.args.seed)
    questions, facts = ear.Questions(sorted(glob.glob(cache("questions-*.npz")))), Questions()
    picks = [k for k in noise.permutation(len(questions)) if usable(known, codes, questions.texts[k], rng)][:RECORDED]
    recorded = listen(encoder, questions, picks, stats, noise)
    vectors = word_vectors(parts["lm"], layout, heard_words())

    def draw():
        chance = rng.random()
        if chance < HEARD_SHARE:
            i = rng.randrange(len(picks))
            return heard(layout, recorded[i], known[questions.texts[picks[i]]].answer, codes)
        if chance < HEARD_SHARE + SPOKEN_SHARE:
            return spoken(layout, facts, codes, rng)
        return written(layout, facts, rng)

    for _, group in zip(run, batches(draw, rng, BUDGET)):
        if not run.resumed and run.progress() < FIT_SHARE:
            run.update(fit_projector(parts, vectors, encoder, recorded, rng))
            continue
        batch, shown = collate(group), {}
        hidden = language.hidden_states(parts, batch, features_of(parts, group))
        run.update(step_losses(parts, batch, hidden, shown), **shown)
        run.show(identity=language.control_experts(parts["lm"], run.progress()))


if __name__ == "__main__":
    main()
