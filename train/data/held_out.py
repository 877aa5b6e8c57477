"""Held-out material of `longcat-rt eval`: voices, wordings and scenes that training never has:
python3 train/data/held_out.py --to .cache/eval [--count 200]

Writes WAV and PNG files and `manifest.json`; the seed of every suite stands in train/held-out-seeds.json. Voices are
the espeak-ng variants that `synthesise.split_variants` keeps apart, and flite's awb for every fourth utterance.
"""

import argparse
from dataclasses import replace
import json
import os
import random
import sys

import numpy as np
from scipy.io import wavfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data import augment, espeak, flite
from data.synthesise import in_output_voice, make_answers, split_variants
from domain import corpus, render, scenes
from domain import everyday, tools
from domain.calls import HARD, RECITES, SHORT, Calls
from domain.conversation import Turn
from domain.facts import AGAIN
from paths import MODEL, TRAIN, cache

FRAME_MS, FRAMES = 500, 6  # two frames a second, as a camera sends them
BREATH_PAUSE = (0.1, 0.6)  # seconds between a command and the question after it
# A call of ten minutes, judged at some fifteen late sums.
CALL_MS, LATE_MS, EXCHANGE_MS, LATE_SUMS = 600_000, 300_000, 5000, 15
CUT_AFTER_MS, ITEM_MS = (900, 6000), 400  # a recitation takes longer for each of its items, so that the cut is inside
ANY_CUT_MS = (200, 6000)  # before the first word too
QUIET, LOUD = 3200, 4.0  # samples before and after an utterance; how far one is driven into clipping


def clip(x, rng):
    return np.clip(x * LOUD, -0.7, 0.7)


CONDITIONS = {
    "noise": lambda x, rng: augment.noise(x, rng, 15),
    "reverb": augment.reverb,
    "telephone": augment.telephone,
    "packet-loss": augment.packet_loss,
    "clipping": clip,
    "level": lambda x, rng: x * 10 ** (rng.choice((-18, -12, 6)) / 20),
}


class Writer:
    def __init__(self, to):
        self.to, self.cases, self.files = to, [], 0
        self.variants = split_variants()[1]

    def path(self, suite, ending):
        self.files += 1
        os.makedirs(os.path.join(self.to, suite), exist_ok=True)
        return f"{suite}/{self.files}.{ending}"

    def sound(self, suite, x):
        name = self.path(suite, "wav")
        wavfile.write(os.path.join(self.to, name), 16000, (np.clip(x, -1, 1) * 32767).astype(np.int16))
        return name

    def picture(self, suite, image):
        name = self.path(suite, "png")
        image.save(os.path.join(self.to, name))
        return name

    def voice(self, text, rng, awb=None):
        """An unseen voice at a usual level, a little silence and a quiet room around it."""
        if rng.uniform() < 0.25 if awb is None else awb:
            x = flite.speak(text, "awb")[0]
        else:
            x = espeak.speak(
                text,
                rng.choice(espeak.ACCENTS),
                rng.choice(self.variants),
                rng.integers(130, 210),
                rng.integers(25, 75),
                rng.integers(25, 75),
            )
        x = x / max(1e-3, np.abs(x).max()) * 0.7
        floor = rng.normal(size=len(x) + 2 * QUIET) * 10**-4.5
        floor[QUIET : QUIET + len(x)] += x
        return floor

    def watched(self, suite, turn, rng):
        """What the camera sends while the question is asked."""
        if turn.scene is None:
            return []
        places, ground = [render.place(item, rng) for item in turn.scene], render.backdrop(rng)
        step = rng.uniform(12, 22)
        out = []
        for k in range(FRAMES):  # two steps before its place to three after it, so that it stays in view
            at = render.shift(places, turn.motion or "none", step * (k - 2))
            out.append({"file": self.picture(suite, render.frame(turn.scene, at, rng, ground)), "atMs": k * FRAME_MS})
        return out

    def cut_after(self, turn, rng):
        return rng.randrange(CUT_AFTER_MS[0], max(CUT_AFTER_MS[0] + 1, min(CUT_AFTER_MS[1], ITEM_MS * len(turn.items))))

    def conversation(self, suite, turns, seed, condition=None, judged=()):
        """The last turn is judged, or those with the numbers `judged`; a turn that is interrupted says after how many
        milliseconds of the reply."""
        numbers, dice = np.random.default_rng(seed), random.Random(seed)
        rows = []
        for i, turn in enumerate(turns):
            x = self.voice(turn.question, numbers)
            if turn.before:
                gap = np.zeros(int(numbers.uniform(*BREATH_PAUSE) * 16000))
                x = np.concatenate((self.voice(turn.before, numbers)[:-QUIET], gap, x[QUIET:]))
            if condition:
                x = CONDITIONS[condition](x, numbers)
            row = {
                "text": turn.said,
                "audio": self.sound(suite, x),
                "answer": list(turn.answer),
                "pictures": self.watched(suite, turn, dice),
            }
            if turn.heard is not None:
                row["cutAfterMs"] = (
                    self.cut_after(turn, dice) if suite in ("stopped", "memory") else dice.randrange(*ANY_CUT_MS)
                )
            if i in judged:
                row["judged"] = True
            rows.append(row)
        self.cases.append({"suite": suite, "kind": turns[-1].kind, "turns": rows})


def wanted(suite, talk, rng):
    """One conversation of the suite."""
    if suite in SPECIAL:
        return SPECIAL[suite](talk, rng)
    if suite in ("vision", "motion"):
        while True:
            turn = talk.look(rng)
            moving = turn.question in MOTION
            if turn.scene and moving == (suite == "motion"):
                return [turn if moving else replace(turn, motion=None)]  # where a thing is that moves has no one answer
    if suite == "memory":
        return talk.draw(rng, rng.choice(("name", "number", "asked", "repeat", "before")))
    if suite == "stopped":
        while True:
            turns = talk.draw(rng, "stopped")
            if len(turns) == 2 and turns[0].heard is not None and len(turns[0].items) * ITEM_MS > CUT_AFTER_MS[0]:
                return turns
    if suite == "unfinished":
        return talk.draw(rng, "unfinished")[-1:]
    while True:
        turn = talk.one(rng)
        if len(turn.items) <= 10:  # long recitations would take most of the time
            return [turn]


MOTION = {q for d in (None, "left") for k in range(20) for _, q, _ in scenes.motion_questions(d, random.Random(k))}


def question(talk, rng):
    while True:
        turn = talk.look(rng) if rng.random() < 0.1 else talk.one(rng)
        if len(turn.items) <= 10 and not (turn.scene and turn.motion):
            return turn


def recitation(talk, rng, least=5):
    while True:
        turn = talk.one(rng, *RECITES)
        if least <= len(turn.items) <= 26:
            return turn


def after_interruption(talk, rng):
    """What comes over a recitation is the question itself, or a command, a word that goes along or another recitation
    before it."""
    turns, way = [replace(recitation(talk, rng), heard=1)], rng.random()
    if way < 0.15:
        turns.append(Turn("stop", talk.word(rng, "stop"), ("Okay.",)))
    elif way < 0.25:
        turns.append(Turn("talk", rng.choice(("uh-huh", "okay", "right", "yes")), ("Okay.",)))
    elif way < 0.4:
        turns.append(replace(recitation(talk, rng), heard=1))
    return turns + [question(talk, rng)]


def hard(talk, rng):
    """One of the short words; the questions of a kind that is asked in many ways are not among them."""
    asked = rng.choice(HARD)
    fact = next(f for f, wordings in talk.kinds["talk"] + talk.kinds["order"] if asked in f.questions)
    return Turn(fact.kind, asked, fact.answer)


SPECIAL = {
    "after-interruption": after_interruption,
    "after-recitation": lambda talk, rng: [recitation(talk, rng), question(talk, rng)],
    "stop-and-ask": lambda talk, rng: [
        replace(recitation(talk, rng), heard=1),
        replace(question(talk, rng), before=talk.word(rng, "stop")),
    ],
    "short-words": lambda talk, rng: [hard(talk, rng)],
    "minus": lambda talk, rng: [minus(talk, rng)],
    "everyday": lambda talk, rng: [Turn("everyday", rng.choice(everyday.unheard()), AGAIN)],
}


def minus(talk, rng):
    while True:
        turn = talk.one(rng, "difference")
        if "minus" in turn.question:
            return turn


def ten_minutes(talk, rng):
    """-> (turns, numbers of the late sums): sums, counts that are heard to the end or stopped, other questions."""
    turns, late, passed = [], [], 0
    while passed < CALL_MS:
        way = rng.random()
        if way < 0.45:
            if passed > LATE_MS:
                late.append(len(turns))
            turns.append(talk.one(rng, "sum"))
        elif way < 0.65:
            turn = recitation(talk, rng)
            cut = rng.random() < 0.6
            passed += ITEM_MS * len(turn.items) * (0.4 if cut else 1.0)
            turns.append(replace(turn, heard=1 if cut else None))
            if cut and rng.random() < 0.5:
                turns.append(Turn("stop", talk.word(rng, "stop"), ("Okay.",)))
        else:
            turns.append(talk.one(rng, *SHORT))
        passed += EXCHANGE_MS
    return turns, late


def long_calls(writer, seeds, count):
    talk, rng = Calls(), random.Random(seeds["ten-minutes"])
    for i in range(-(-count // LATE_SUMS)):
        turns, late = ten_minutes(talk, rng)
        writer.conversation("ten-minutes", turns, seeds["ten-minutes"] * 1000 + i, judged=late)
    print("ten-minutes", flush=True)


def conversations(writer, seeds, count):
    heard, unheard = Calls(), Calls(unheard=True)
    plain = ("facts", "phrasings", "vision", "motion", "memory", "stopped", "unfinished", "finished")
    for suite in (*plain, *CONDITIONS, *SPECIAL):
        rng, talk = random.Random(seeds[suite]), unheard if suite == "phrasings" else heard
        for i in range(count):
            turns = wanted(suite, talk, rng)
            while any(not t.question for t in turns):
                turns = wanted(suite, talk, rng)
            writer.conversation(suite, turns, seeds[suite] * 1000 + i, suite if suite in CONDITIONS else None)
        print(suite, flush=True)


def called(talk, rng):
    """A request in a wording that training never has, with its tool and two others told; -> (turns, tools told,
    call)."""
    name = rng.choice(list(tools.SIGNATURES))
    question, arguments = talk.request(rng, name)
    names = rng.sample([name, *rng.sample([other for other in tools.SIGNATURES if other != name], 2)], 3)
    return [Turn("tool", question, ())], names, {"name": name, "arguments": arguments}


def not_called(talk, rng):
    """With all tools told: what only sounds like a request, or any other question."""
    turn = Turn("near", rng.choice(tools.NEAR), AGAIN) if rng.random() < 0.3 else question(talk, rng)
    return [turn], list(tools.SIGNATURES), None


def with_tools(writer, seeds, count):
    for suite, draw, talk in (("tool-calls", called, tools.Tools(unheard=True)), ("no-calls", not_called, Calls())):
        rng = random.Random(seeds[suite])
        for i in range(count):
            turns, names, call = draw(talk, rng)
            writer.conversation(suite, turns, seeds[suite] * 1000 + i)
            writer.cases[-1].update(
                tools=[{"name": name, "parameters": tools.SCHEMAS[name]} for name in names], call=call
            )
        print(suite, flush=True)


def task(talk, rng):
    """-> (turns, tools told, call, what the tool gives): half of the tasks correct themselves, as in "a timer for five
    no seven minutes"."""
    if rng.random() < 0.5:
        name, kind, (filling, arguments) = "set_timer", "corrected", tools.corrected(rng)
    else:
        name, kind = rng.choice(list(tools.SIGNATURES)), "plain"
        filling, arguments = rng.choice(list(tools.fillings(name).items()))
    given, answer = tools.result(name, arguments, rng)
    turns = [Turn(kind, tools.REQUESTS[name][-1].format(filling), answer)]
    return turns, rng.sample(list(tools.SIGNATURES), 4), {"name": name, "arguments": arguments}, given


def tasks(writer, seeds, count):
    talk, rng = tools.Tools(unheard=True), random.Random(seeds["tool-tasks"])
    for i in range(count):
        turns, names, call, given = task(talk, rng)
        writer.conversation("tool-tasks", turns, seeds["tool-tasks"] * 1000 + i)
        told = [
            {"name": name, "parameters": tools.SCHEMAS[name], "effect": "none" if name == "get_time" else "world"}
            for name in names
        ]
        writer.cases[-1].update(tools=told, call=call, result=given)
    print("tool-tasks", flush=True)


def hearing(writer, seeds, count):
    questions = corpus.spoken_questions()
    for suite, awb, condition in (
        ("hearing-variants", False, None),
        ("hearing-awb", True, None),
        ("hearing-noise", None, "noise"),
        ("hearing-telephone", None, "telephone"),
    ):
        rng = np.random.default_rng(seeds[suite])
        for text in rng.choice(questions, count, replace=False):
            x = writer.voice(str(text), rng, awb)
            x = CONDITIONS[condition](x, rng) if condition else x
            writer.cases.append({"suite": suite, "audio": writer.sound(suite, x), "text": str(text)})
        print(suite, flush=True)


def codec(writer, seeds, count):
    """Sentences in the output voice that training never has; `codes`: what the language model would say them by."""
    from reference import safetensors
    from reference.codec_encoder import CodecEncoder
    from stages.codec_acoustics import codes_of, describe, found_again
    from stages.codec_tokenizer import Answers

    if not os.path.exists(cache("answers.npz")):
        make_answers()
    answers, encoder = Answers(), CodecEncoder(nano.CODEC["encoder"])
    encoder.load_state_dict(
        {
            k: v.float()
            for k, v in safetensors.load(os.path.join(MODEL, "audio_codec", "encoder.safetensors"))[0].items()
        }
    )
    with open(os.path.join(MODEL, "audio_codec", "encoder_cmvn.json")) as file:
        stats = np.array(json.load(file)["stats"])
    closed_form = found_again(encoder.eval(), answers, stats)[0]
    others = sorted({corpus.sentence_case(q) for q in corpus.spoken_questions()} - set(map(str, answers.texts)))
    said = Answers(in_output_voice(random.Random(seeds["codec"]).sample(others, count)))
    semantic, frames = describe(encoder, said, stats)
    codes = codes_of(encoder, semantic, closed_form(semantic, frames))
    for text, a, b in zip(said.texts, said.offsets, said.offsets[1:]):
        writer.cases.append(
            {
                "suite": "codec",
                "audio": writer.sound("codec", said.samples[a:b]),
                "text": str(text),
                "codes": codes[a // 960 : b // 960].tolist(),
            }
        )


def pictures(writer, seeds, count):
    from stages.vision import seen

    rng = random.Random(seeds["pictures"])
    for _ in range(count):
        images, _, motion, labels, _ = seen(rng)
        files = [writer.picture("pictures", image) for image in images]
        writer.cases.append(
            {"suite": "pictures", "pictures": files, "labels": labels.tolist(), "motion": render.MOTIONS.index(motion)}
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True)
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    with open(os.path.join(TRAIN, "held-out-seeds.json")) as file:
        seeds = json.load(file)
    writer = Writer(args.to)
    conversations(writer, seeds, args.count)
    long_calls(writer, seeds, args.count)
    with_tools(writer, seeds, args.count)
    hearing(writer, seeds, args.count)
    pictures(writer, seeds, args.count)
    codec(writer, seeds, args.count)
    tasks(writer, seeds, args.count)
    manifest = {
        "version": 4,
        "sentences": corpus.answer_segments(),
        "cases": writer.cases,
        "otherSentences": [c["text"] for c in writer.cases if c["suite"] == "codec"],
    }
    with open(os.path.join(args.to, "manifest.json"), "w") as file:
        json.dump(manifest, file)


if __name__ == "__main__":
    main()
