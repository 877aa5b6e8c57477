"""Voices for the turn-taking benchmark: speakers and wordings that training never has.

python3 bench/turn-taking/voices.py DIRECTORY [SEED] writes clips.s16 (16 kHz mono, end to end) and clips.json: per clip
its kind, text, voice and the parts between which a speaker may pause. Needs espeak-ng, flite, numpy, scipy, torch.
Policies are set on another seed than the one that is reported.
"""

import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "train"))
from data import espeak, flite
from data.synthesise import split_variants
from domain import conversation
from domain.conversation import KIND_SHARE, training_wordings
from domain.facts import all_facts

UTTERANCES = 520
COMMANDS = ("stop", "wait", "no", "stop", "please stop", "no wait")
# Both synthesisers spell "mm-hm" out, letter by letter.
BACKCHANNELS = ("um-hum", "yes", "okay", "uh-huh", "yeah", "right")
RATE = 16000


# What is asked of a memory, beside the shares of facts.
MEMORY_SHARE = 3


def held_out():
    """kind -> (its share, sentences that training never has); a kind comes as often as in conversations. Other topics
    are left out: some are fragments."""
    kinds = {
        "memory": (
            MEMORY_SHARE,
            sorted(set(conversation.memory_questions()) - set(conversation.memory_questions(False))),
        )
    }
    for kind, share in KIND_SHARE.items():
        unheard = sorted(
            {q for f in all_facts() if f.kind == kind for q in f.questions if q and q not in training_wordings(f)}
        )
        if unheard and kind != "elsewhere":
            kinds[kind] = (share, unheard)
    return kinds


def sentence(kinds, rng):
    shares = np.array([share for share, _ in kinds.values()])
    _, sentences = list(kinds.values())[rng.choice(len(kinds), p=shares / shares.sum())]
    return sentences[rng.integers(len(sentences))]


def speaker(rng, variants):
    if rng.uniform() < 0.15:
        return "awb", lambda text: flite.speak(text, "awb")[0]
    variant, accent = rng.choice(variants), rng.choice(espeak.ACCENTS)
    settings = (rng.integers(130, 210), rng.integers(25, 75), rng.integers(25, 75))
    return f"{accent}+{variant}", lambda text: espeak.speak(text, accent, variant, *settings)


def trimmed(x):
    """Without the silence around it, at one level."""
    loud = np.flatnonzero(np.abs(x) > 0.02 * np.abs(x).max())
    x = x[loud[0] : loud[-1] + 1]
    return x * (0.1 / np.sqrt((x**2).mean()))


def split(text, rng, complete):
    """
    One pause and one more per 3.5 s of talk (latency-data 4.2), three words a second; never after the last word, nor
    where a listener would take what was said for a whole sentence ("remember twenty" of "remember twenty one").
    """
    words = text.split(" ")
    places = [i for i in range(1, len(words)) if " ".join(words[:i]) not in complete]
    pauses = min(len(places), 1 + rng.poisson(len(words) / 3 / 3.5))
    at = [0, *sorted(rng.choice(places, pauses, replace=False)), len(words)] if places else [0, len(words)]
    return [" ".join(words[a:b]) for a, b in zip(at, at[1:])]


def jobs(rng):
    kinds, complete = held_out(), conversation.Conversations().complete
    for i in range(UTTERANCES):
        # One in five is said in one breath.
        text = sentence(kinds, rng)
        yield "utterance", [text] if i % 5 == 0 else split(text, rng, complete)
    for _ in range(60):
        yield "command", [COMMANDS[rng.integers(len(COMMANDS))]]
        yield "interruption", [sentence(kinds, rng)]
        yield "backchannel", [BACKCHANNELS[rng.integers(len(BACKCHANNELS))]]
        yield "side talk", [sentence(kinds, rng)]


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
