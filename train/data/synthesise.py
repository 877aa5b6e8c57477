"""Makes the speech: python3 train/data/synthesise.py KIND [--shard S] [--seconds N], where KIND is one of tokenizer,
answers, questions, tools, words, festival, noises, test-questions and test-calls.


answers: every sentence of the grammar in the output voice, with phone times. questions: training wordings in many
voices, in one breath, with pauses and up to a pause, and words in any order; degraded, as filter bank, a file every
2000 utterances for so many seconds. test-questions: voices, wordings and number pairs that training never has.
"""

import argparse
from collections import Counter
import json
import math
import os
import random
import sys
import time

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data import augment, citation, espeak, festival, flite, lines
from data.energies import energies
from data.speakers import speakers
from domain import calls, conversation, corpus, everyday, tokenizer, tools
from domain.conversation import training_wordings
from domain.facts import all_facts
from domain.words import number
from paths import cache

LEAD, TAIL = 0.06, 0.12  # seconds of silence kept around an answer
PHONE_STEP = 320  # 20 ms: three phone labels per code frame
RARE_KINDS = dict(talk=40, recite=30, count=4, order=4, elsewhere=10, sum=3, difference=3, product=4)
RARE_MOST = 7000
# How often a question about a scene is heard: few wordings, asked as often as all others
WHERE, MOTION, OTHER_SCENES = 60, 200, 24
EVERYDAY_TIMES, NEAR_TIMES, PLAIN_TIMES = 6, 20, 5
TOOL_EVENNESS = 0.6
TEST_VARIANTS = 12
OTHER_SENTENCES = 700
UTTERANCES_A_FILE = 2000
FESTIVAL_VOICES, FESTIVAL_TAKES, FESTIVAL_AT_ONCE = ("slt-hts", "kal"), 3, 400
PAUSED_SHARE, PAUSE, PAUSE_SPREAD, PAUSE_LIMITS = 0.4, 0.4, 0.75, (0.2, 2.5)  # seconds, lognormal
CUT_SHARE, FADE = 0.05, 80
SALAD_SHARE, ALONE_SHARE, NUMBERS_SHARE = 0.18, 0.2, 0.5
SHORT = "no,stop,wait,please stop,no wait,yes,yeah,okay,right,uh-huh,um-hum,cancel,enough".split(",")


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
    samples = samples[int(begin * 16000) : int(end * 16000)]
    padding = -len(samples) % 960
    labels += ["pau"] * ((len(samples) + padding) // PHONE_STEP - len(labels))
    return np.pad(samples, (0, padding)), labels[: (len(samples) + padding) // PHONE_STEP]


def in_output_voice(texts):
    """What `stages.codec_tokenizer.Answers` holds of so many sentences."""
    waves, labels = zip(*(trimmed(t) for t in texts))
    names = ["pau"] + sorted({p for row in labels for p in row} - {"pau"})
    number = {p: i for i, p in enumerate(names)}
    return {
        "data": np.concatenate([(w * 32767).astype(np.int16) for w in waves]),
        "offsets": np.cumsum([0, *map(len, waves)]),
        "texts": np.array(texts),
        "phones": np.array(names),
        "labels": np.concatenate([[number[p] for p in row] for row in labels]).astype(np.int16),
    }


def make_answers():
    """Every answer, and questions in the same voice: the codec needs more sentences than nano says.

    The breath in flite's voice is drawn from one stream, so a sentence sounds, and is coded, otherwise after other
    sentences. Those that came later stand at the end, lest all codes that the language model knows by heart change.
    """
    later = corpus.later_segments()
    texts = corpus.first_segments()
    questions = [corpus.sentence_case(q) for q in corpus.spoken_questions()]
    texts += sorted(set(random.Random(3).sample(questions, OTHER_SENTENCES)) - set(texts) - set(later))
    texts += later
    said = in_output_voice(texts)
    np.savez(cache("answers.npz"), **said)
    print(f"{len(texts)} answers, {len(said['data']) / 16000:.0f} s, {len(said['phones'])} phones")


def render(text, rng, variants):
    """An espeak-ng voice with silence around it."""
    x = espeak.speak(
        text,
        rng.choice(espeak.ACCENTS),
        rng.choice(variants),
        rng.integers(120, 230),
        rng.integers(20, 80),
        rng.integers(20, 80),
    )
    peak = np.abs(x).max()
    return augment.surround(x / peak * 0.7 if peak > 0 else x, rng)


def split_variants():
    rng = np.random.default_rng(7)
    names = list(rng.permutation(espeak.variants()))
    return names[TEST_VARIANTS:], names[:TEST_VARIANTS]


def bare(x):
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(x) > 0.01 * np.abs(x).max())
    return x[loud[0] : loud[-1] + 1] if len(loud) else x


def line(waves, pauses, rng, rest=None, level=1.0):
    """Samples with silences between them, before and (`rest` seconds) after them, and the floor of a room under
    everything."""
    if rest is None:
        rest = rng.uniform(0.05, 1.6 if rng.uniform() < 0.25 else 0.6)
    peak = max(1e-3, *(np.abs(w).max() for w in waves))
    gaps = [rng.uniform(0.05, 0.6), *pauses, rest]
    pieces = [np.zeros(int(gaps[0] * 16000), np.float32)]
    for wave, gap in zip(waves, gaps[1:]):
        pieces += [wave * (0.7 * level / peak), np.zeros(int(gap * 16000), np.float32)]
    x = np.concatenate(pieces)
    return x + rng.standard_normal(len(x), np.float32) * np.float32(10 ** rng.uniform(-5, -3))


def said(kind, parts, say, rng, complete):
    """-> (kind, text, samples): the parts with pauses between them, and what has been said at each pause."""
    waves = [bare(say(part)) for part in parts]
    pauses = np.clip(PAUSE * np.exp(PAUSE_SPREAD * rng.normal(size=len(parts) - 1)), *PAUSE_LIMITS)
    yield kind, " ".join(parts), line(waves, pauses, rng)
    for n in range(1, len(parts)):
        if (text := " ".join(parts[:n])) not in complete:
            yield "prefix", text, line(waves[:n], pauses[: n - 1], rng)


def cut_off(words, say, rng, complete):
    """Somebody stops within a word; the text is what was whole."""
    n = rng.integers(1, len(words))
    text = " ".join(words[:n])
    if text not in complete:
        before, after = bare(say(text)), bare(say(" ".join(words[: n + 1])))
        x = after[: int(len(before) + (len(after) - len(before)) * rng.uniform(0.2, 0.6))].copy()
        x[-FADE:] *= np.linspace(1, 0, len(x[-FADE:]))
        yield "prefix", text, line([x], [], rng)


def split_at_pauses(words, rng):
    at = [
        0,
        *sorted(rng.choice(np.arange(1, len(words)), min(len(words) - 1, rng.integers(1, 4)), replace=False)),
        len(words),
    ]
    return [" ".join(words[a:b]) for a, b in zip(at, at[1:])]


def salad(words, numbers, short, say, rng):
    """Words in any order: without them the recogniser learns the sentences by heart and guesses where it should hear.

    A fifth are a word or two alone, as said to interrupt or to go along with a speaker, perhaps softly, and judged at
    once.
    """
    if rng.uniform() >= ALONE_SHARE:
        text = " ".join(
            rng.choice(numbers if rng.uniform() < NUMBERS_SHARE else words) for _ in range(rng.integers(2, 6))
        )
        return "salad", text, line([bare(say(text))], [], rng)
    text = " ".join(
        rng.choice(short if rng.uniform() < 0.75 else words) for _ in range(1 if rng.uniform() < 0.7 else 2)
    )
    return (
        "salad",
        text,
        line(
            [bare(say(text))], [], rng, rng.uniform(0, 0.1 if rng.uniform() < 0.5 else 0.5), 10 ** -rng.uniform(0, 0.6)
        ),
    )


def weighted_questions():
    """(kind, question), as often as it is to be heard."""
    jobs = [(f.kind, q) for f in all_facts() for q in training_wordings(f) if q]
    count = Counter(kind for kind, _ in jobs)
    jobs = [job for job in jobs for _ in range(max(1, min(RARE_KINDS.get(job[0], 1), RARE_MOST // count[job[0]])))]
    jobs += [
        ("scene", q)
        for q in corpus.scene_questions()
        for _ in range(MOTION if "mov" in q else WHERE if q.startswith("where") else OTHER_SCENES)
    ]
    jobs += [
        ("memory", q)
        for q in conversation.memory_questions(unheard=False)
        for _ in range(60 if q in conversation.WORDING_TEXTS else 12 if len(q.split(" ")) < 4 else 4)
    ]
    jobs += [("everyday", q) for q in everyday.heard() for _ in range(EVERYDAY_TIMES)]
    return jobs + [("unfinished", q) for q in conversation.unfinished_questions()]


def renderings(rng, jobs):
    """Endless (kind, text, samples): the questions in an order of this shard, nearly one in five is salad."""
    variants = split_variants()[0]
    complete = conversation.Conversations().complete | set(corpus.scene_questions())
    words = sorted({w for q in corpus.spoken_questions() for w in q.split(" ")})
    numbers = sorted({w for n in range(31) for w in number(n).split(" ")})
    short = [s for s in SHORT if set(s.split(" ")) <= set(words)]
    count = salads = 0
    while True:
        for i in rng.permutation(len(jobs)):
            kind, text = jobs[i]
            parted = text.split(" ")
            paused = len(parted) > 1 and rng.uniform() < PAUSED_SHARE
            parts = split_at_pauses(parted, rng) if paused else [text]
            for say in speakers(rng, variants):
                made = list(said(kind, parts, say, rng, complete))
                if len(parted) > 1 and rng.uniform() < CUT_SHARE:
                    made += cut_off(parted, say, rng, complete)
                count += len(made)
                yield from made
            while salads < SALAD_SHARE * count:
                for say in speakers(rng, variants):
                    yield salad(words, numbers, short, say, rng)
                    salads, count = salads + 1, count + 1


def write_questions(name, items):
    """items: (kind, text, filter bank). Readers never see half a file."""
    kinds, texts, rows = zip(*items)
    with open(cache(name + ".new"), "wb") as file:
        np.savez(
            file,
            data=np.concatenate(rows),
            offsets=np.cumsum([0] + [len(r) for r in rows]),
            texts=np.array(texts),
            kinds=np.array(kinds),
        )
    os.replace(cache(name + ".new"), cache(name + ".npz"))


def tool_requests():
    """(kind, question) of everything that is asked for with tools: each tool about as often, however many its wordings
    are, the near ones, and what is corrected, a name or a number that is told too."""
    asked = {name: [q for q in tools.requests() if tools.asks_for(q) == name] for name in tools.SIGNATURES}
    most = max(map(len, asked.values()))
    jobs = [
        ("tool", q)
        for questions in asked.values()
        for q in questions * max(1, round(TOOL_EVENNESS * most / len(questions)))
    ]
    jobs *= PLAIN_TIMES
    jobs += [("near", q) for q in tools.NEAR + tools.NEAR_MORE for _ in range(NEAR_TIMES)]
    jobs += [("corrected", q) for of in tools.corrected_requests().values() for q in of]
    return jobs + [("corrected", q) for of in conversation.corrected_tellings().values() for q in of]


def make_questions(shard, seconds, most, jobs=None, name="questions"):
    rng, end, items, files = np.random.default_rng(1000 + shard), time.time() + seconds, [], 0
    for kind, text, x in renderings(rng, jobs or weighted_questions()):
        items.append((kind, text, energies(lines.worn(x, rng))))
        late = time.time() > end or files + 1 == most and len(items) == UTTERANCES_A_FILE
        if late or len(items) == UTTERANCES_A_FILE:
            write_questions(f"{name}-{shard}-{files}", items)
            files, items = files + 1, []
            print(f"{name} {shard} {shard}: {files} files", flush=True)
        if late:
            return


def make_citations(shard, seconds, most):
    """Questions and words in any order, each word said by itself, and slowly, as in a list or to somebody who does not
    hear well."""
    rng, end, items, files = np.random.default_rng(5000 + shard), time.time() + seconds, [], 0
    complete = conversation.Conversations().complete | set(corpus.scene_questions())
    jobs = weighted_questions() + [("tool", q) for q in tools.requests()]
    for kind, text, x in citation.renderings(rng, jobs, split_variants()[0], complete):
        items.append((kind, text, energies(lines.worn(x, rng, citation.NARROW_SHARE))))
        if len(items) == UTTERANCES_A_FILE:
            write_questions(f"questions-words-{shard}-{files}", items)
            files, items = files + 1, []
            print(f"words {shard}: {files} files", flush=True)
            if files == most or time.time() > end:
                return


def make_festival(shard, seconds, most):
    """Questions in festival's voices, which are dear: each is played at several speeds."""
    rng, end, files = np.random.default_rng(9000 + shard), time.time() + seconds, 0
    jobs = weighted_questions()
    while time.time() < end and files != most:
        chosen = [jobs[i] for i in rng.integers(len(jobs), size=FESTIVAL_AT_ONCE)]
        name, items = FESTIVAL_VOICES[files % len(FESTIVAL_VOICES)], []
        for (kind, text), x in zip(chosen, festival.speak_all([text for _, text in chosen], name)):
            for speed in rng.integers(84, 122, FESTIVAL_TAKES):
                spoken = line([bare(augment.resampled(x, int(speed), 100))], [], rng)
                items.append((kind, text, energies(lines.worn(spoken, rng))))
        write_questions(f"questions-festival-{shard}-{files}", items)
        files += 1
        print(f"festival {shard}: {files} files", flush=True)


def make_noises(count=600):
    rng = np.random.default_rng(11)
    write_questions("questions-noise", [("noise", "", energies(lines.no_speech(rng))) for _ in range(count)])


def make_test_questions(count=300):
    rng = np.random.default_rng(5)
    unseen = [(f.kind, q) for f in all_facts() for q in f.questions if q and q not in training_wordings(f)]
    unseen += [
        ("memory", q) for q in sorted(set(conversation.memory_questions()) - set(conversation.memory_questions(False)))
    ]
    seen = [(f.kind, q) for f in all_facts() for q in training_wordings(f) if q]
    for name, pool in (("unseen", unseen), ("seen", seen)):
        jobs = [pool[i] for i in rng.choice(len(pool), count, replace=False)]
        write_questions(f"test-{name}", [(k, q, energies(render(q, rng, split_variants()[1]))) for k, q in jobs])
    write_questions("test-awb", [(k, q, energies(augment.surround(flite.speak(q, "awb")[0], rng))) for k, q in jobs])
    other = festival.speak_all([q for _, q in jobs], festival.HELD_OUT)
    write_questions("test-festival", [(k, q, energies(augment.surround(x, rng))) for (k, q), x in zip(jobs, other)])


def make_test_calls():
    """Everything that is said in `calls.for_the_test`, in unseen voices, without scenes."""
    rng = np.random.default_rng(6)
    drawn = [*calls.for_the_test().values(), *tools.for_the_test().values()]
    texts = sorted(
        {text for turns in drawn for call in turns for turn in call for text in (turn.question, turn.before) if text}
    )
    write_questions("test-calls", [("call", q, energies(render(q, rng, split_variants()[1]))) for q in texts])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what",
        choices=(
            "tokenizer",
            "answers",
            "questions",
            "tools",
            "words",
            "festival",
            "noises",
            "test-questions",
            "test-calls",
        ),
    )
    parser.add_argument("--shard", type=int, default=0, help="number of these questions files; also their seed")
    parser.add_argument("--seconds", type=float, default=150, help="how long to make questions")
    parser.add_argument("--files", type=int, help="so many files of questions instead: the same on every machine")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.what == "tokenizer":
        make_tokenizer()
    elif args.what == "answers":
        make_answers()
    elif args.what == "questions":
        make_questions(args.shard, math.inf if args.files else args.seconds, args.files)
    elif args.what == "tools":
        make_questions(
            args.shard, math.inf if args.files else args.seconds, args.files, tool_requests(), "questions-tools"
        )
    elif args.what == "words":
        make_citations(args.shard, math.inf if args.files else args.seconds, args.files)
    elif args.what == "festival":
        make_festival(args.shard, math.inf if args.files else args.seconds, args.files)
    elif args.what == "noises":
        make_noises()
    elif args.what == "test-calls":
        make_test_calls()
    else:
        make_test_questions()


if __name__ == "__main__":
    main()
