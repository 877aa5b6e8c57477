"""Voices for the turn-taking benchmark: speakers and wordings that training never has.

python3 bench/turn-taking/voices.py DIRECTORY [SEED] writes clips.s16 (16 kHz mono, end to end) and clips.json: per clip its
kind, text, voice and the parts between which a speaker may pause. Needs espeak-ng, flite, numpy, scipy. Policies are set on
another seed than the one that is reported.
"""
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "train"))
from data import espeak, flite
from data.synthesise import split_variants
from domain import conversation
from domain.conversation import training_wordings
from domain.facts import all_facts

UTTERANCES = 520
COMMANDS = ("stop", "wait", "no", "stop", "please stop", "no wait")
BACKCHANNELS = ("mm-hm", "yes", "okay", "uh-huh", "yeah", "right")
RATE = 16000


def held_out():
    facts = [q for f in all_facts() for q in f.questions if q and q not in training_wordings(f)]
    return facts + sorted(set(conversation.memory_questions()) - set(conversation.memory_questions(False)))


def speaker(rng, variants):
    if rng.uniform() < 0.15:
        return "awb", lambda text: flite.speak(text, "awb")[0]
    variant, accent = rng.choice(variants), rng.choice(espeak.ACCENTS)
    settings = (rng.integers(130, 210), rng.integers(25, 75), rng.integers(25, 75))
    return f"{accent}+{variant}", lambda text: espeak.speak(text, accent, variant, *settings)


def trimmed(x):
    """Without the silence around it, at one level."""
    loud = np.flatnonzero(np.abs(x) > 0.02 * np.abs(x).max())
    x = x[loud[0]:loud[-1] + 1]
    return x * (0.1 / np.sqrt((x ** 2).mean()))


def split(text, rng):
    """One pause and one more per 3.5 s of talk (latency-data 4.2), three words a second; never after the last word."""
    words = text.split(" ")
    pauses = min(len(words) - 1, 1 + rng.poisson(len(words) / 3 / 3.5))
    at = [0, *sorted(rng.choice(np.arange(1, len(words)), pauses, replace=False)), len(words)]
    return [" ".join(words[a:b]) for a, b in zip(at, at[1:])]


def jobs(rng):
    pool = held_out()
    for i in range(UTTERANCES):
        # One in five is said in one breath.
        text = pool[rng.integers(len(pool))]
        yield "utterance", [text] if i % 5 == 0 else split(text, rng)
    for _ in range(60):
        yield "command", [COMMANDS[rng.integers(len(COMMANDS))]]
        yield "interruption", [pool[rng.integers(len(pool))]]
        yield "backchannel", [BACKCHANNELS[rng.integers(len(BACKCHANNELS))]]
        yield "side talk", [pool[rng.integers(len(pool))]]


def main(directory, seed=11):
    os.makedirs(directory, exist_ok=True)
    rng, variants = np.random.default_rng(int(seed)), split_variants()[1]
    index, at = [], 0
    with open(os.path.join(directory, "clips.s16"), "wb") as sound:
        for kind, parts in jobs(rng):
            voice, say = speaker(rng, variants)
            waves = [trimmed(say(part)) for part in parts]
            spans = []
            for wave in waves:
                sound.write((np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes())
                spans.append([at, len(wave)])
                at += len(wave)
            index.append({"kind": kind, "text": " ".join(parts), "parts": parts, "voice": str(voice), "spans": spans})
    with open(os.path.join(directory, "clips.json"), "w") as file:
        json.dump(index, file)
    print(f"{len(index)} clips, {at / RATE:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:3])
