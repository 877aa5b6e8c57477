"""Makes the speech: python3 train/data/synthesise.py {tokenizer|answers|questions|salad|test-questions} [--renderings N]

answers: every sentence of the grammar in the output voice, with phone times. questions: every training wording in many
voices, degraded, as filter bank. test-questions: voices, wordings and number pairs that training never has.
"""
import argparse
import json
import os
import random
import sys

import numpy as np
import torch
from scipy.signal import resample_poly

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data import augment, espeak, flite
from domain import conversation, corpus, tokenizer
from domain.conversation import training_wordings
from domain.facts import all_facts
from domain.words import number
from paths import cache
from reference.fbank import fbank

LEAD, TAIL = 0.06, 0.12  # seconds of silence kept around an answer
PHONE_STEP = 320  # 20 ms: three phone labels per code frame
RARE_KINDS = {"talk": 20, "recite": 20, "count": 3, "order": 2, "elsewhere": 10}
TEST_VARIANTS = 12
OTHER_SENTENCES = 700


def pack(name, items, **more):
    """Variable-length arrays in one npz: `data` end to end with `offsets`."""
    offsets = np.cumsum([0] + [len(x) for x in items])
    np.savez(cache(name), data=np.concatenate(items), offsets=offsets, **more)


def make_tokenizer():
    with open(cache("tokenizer.json"), "w") as file:
        json.dump(tokenizer.build(corpus.tokenizer_texts()), file, ensure_ascii=False)


def trimmed(text):
    """The output voice with short silences around it, a whole number of code frames, and a phone every 20 ms."""
    samples, phones = flite.speak(text)
    begin = max(0.0, phones[0][1] - LEAD) if phones[0][0] == "pau" else 0.0
    end = min(len(samples) / 16000, (phones[-2][1] if phones[-1][0] == "pau" else phones[-1][1]) + TAIL)
    times = np.arange(begin, end, PHONE_STEP / 16000) + PHONE_STEP / 32000
    ends = np.array([e for _, e in phones])
    labels = [phones[min(i, len(phones) - 1)][0] for i in np.searchsorted(ends, times)]
    samples = samples[int(begin * 16000):int(end * 16000)]
    padding = -len(samples) % 960
    labels += ["pau"] * ((len(samples) + padding) // PHONE_STEP - len(labels))
    return np.pad(samples, (0, padding)), labels[:(len(samples) + padding) // PHONE_STEP]


def make_answers():
    """Every answer, and questions in the same voice: the codec needs more sentences than nano says."""
    texts = corpus.answer_segments()
    questions = [corpus.sentence_case(q) for q in corpus.spoken_questions()]
    texts += sorted(set(random.Random(3).sample(questions, OTHER_SENTENCES)) - set(texts))
    waves, labels = zip(*(trimmed(t) for t in texts))
    names = ["pau"] + sorted({p for row in labels for p in row} - {"pau"})
    number = {p: i for i, p in enumerate(names)}
    pack("answers.npz", [(w * 32767).astype(np.int16) for w in waves], texts=np.array(texts), phones=np.array(names),
         labels=np.concatenate([[number[p] for p in row] for row in labels]).astype(np.int16))
    print(f"{len(texts)} answers, {sum(map(len, waves)) / 16000:.0f} s, {len(names)} phones")


def render(text, rng, variants):
    if variants is not None and rng.uniform() < 0.2:
        x = other_speaker(flite.speak(text, rng.choice(("rms", "slt", "kal16")))[0], rng)
    else:
        x = espeak.speak(text, rng.choice(espeak.ACCENTS), rng.choice(variants if variants is not None else ["m3"]),
                         rng.integers(120, 230), rng.integers(20, 80), rng.integers(20, 80))
    peak = np.abs(x).max()
    return augment.surround(x / peak * 0.7 if peak > 0 else x, rng)


def other_speaker(x, rng):
    """Speed and pitch together, as a record player would: a voice nobody has."""
    return resample_poly(x, int(rng.integers(84, 118)), 100).astype(np.float32)


def split_variants():
    rng = np.random.default_rng(7)
    names = list(rng.permutation(espeak.variants()))
    return names[TEST_VARIANTS:], names[:TEST_VARIANTS]


def energies(samples):
    return fbank(torch.from_numpy(samples), 32768).half().numpy()


def write_questions(name, jobs, rng, variants, clean=False):
    rows, texts, kinds = [], [], []
    for i, (kind, text) in enumerate(jobs):
        x = render(text, rng, variants)
        rows.append(energies(x if clean else augment.degrade(x, rng)))
        texts.append(text)
        kinds.append(kind)
        if i % 2000 == 0:
            print(f"{name}: {i} of {len(jobs)}", flush=True)
    pack(name, rows, texts=np.array(texts), kinds=np.array(kinds))


def make_questions(renderings, shard):
    rng = np.random.default_rng(1000 + shard)
    jobs = [(f.kind, q) for f in all_facts() for q in training_wordings(f) if q
            for _ in range(renderings * RARE_KINDS.get(f.kind, 1))]
    jobs += [("scene", q) for q in corpus.scene_questions() for _ in range(renderings * 8)]
    jobs += [("memory", q) for q in conversation.memory_questions(unheard=False)
             for _ in range(renderings * (20 if q in conversation.WORDING_TEXTS else 4))]
    jobs += [("unfinished", q) for q in conversation.unfinished_questions() for _ in range(renderings)]
    write_questions(f"questions-{shard}.npz", [jobs[i] for i in rng.permutation(len(jobs))], rng, split_variants()[0])


def make_salad(count, shard):
    """Words in any order: without them the recogniser learns the sentences by heart and guesses where it should hear."""
    rng = np.random.default_rng(2000 + shard)
    words = sorted({w for q in corpus.spoken_questions() for w in q.split(" ")})
    numbers = sorted({w for n in range(31) for w in number(n).split(" ")})
    jobs = []
    for _ in range(count):
        pick = [rng.choice(numbers if rng.uniform() < 0.25 else words) for _ in range(rng.integers(2, 6))]
        jobs.append(("salad", " ".join(pick)))
    write_questions(f"salad-{shard}.npz", jobs, rng, split_variants()[0])


def make_test_questions(count=300):
    rng = np.random.default_rng(5)
    unseen = [(f.kind, q) for f in all_facts() for q in f.questions if q and q not in training_wordings(f)]
    unseen += [("memory", q) for q in sorted(set(conversation.memory_questions()) - set(conversation.memory_questions(False)))]
    seen = [(f.kind, q) for f in all_facts() for q in training_wordings(f) if q]
    for name, pool in (("unseen", unseen), ("seen", seen)):
        jobs = [pool[i] for i in rng.choice(len(pool), count, replace=False)]
        write_questions(f"test-{name}.npz", jobs, rng, split_variants()[1], clean=True)
    rows = [energies(augment.surround(flite.speak(q, "awb")[0], rng)) for _, q in jobs]
    pack("test-awb.npz", rows, texts=np.array([q for _, q in jobs]), kinds=np.array([k for k, _ in jobs]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("tokenizer", "answers", "questions", "salad", "test-questions"))
    parser.add_argument("--renderings", type=int, default=1, help="renderings of each wording in this shard")
    parser.add_argument("--shard", type=int, default=0, help="number of the questions file; also its seed")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.what == "tokenizer":
        make_tokenizer()
    elif args.what == "answers":
        make_answers()
    elif args.what == "questions":
        make_questions(args.renderings, args.shard)
    elif args.what == "salad":
        make_salad(4000 * args.renderings, args.shard)
    else:
        make_test_questions()


if __name__ == "__main__":
    main()
