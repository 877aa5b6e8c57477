"""Greetings for `npm run bench -- answered-by`, out of Debian's packages and from synthesisers; nothing is committed.

python3 bench/answered-by/material.py DIRECTORY writes greetings.s16 (16 kHz mono, end to end) and greetings.json: who
speaks, a machine or a person, and the span. Machines: what Asterisk's voicemail plays, as it puts it together, of seven
recorded speakers in five languages, with its own beep. People: the short recordings of the same packages, one word or
two (no one greets a caller there, but by its length none tells them apart), and greetings in 24 wordings by espeak-ng
and flite. Packages come by `apt-get download`; needs ffmpeg, espeak-ng, flite and numpy.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "turn-taking"))
import recordings

RATE = 16000
PACKAGES = (
    "asterisk-core-sounds-en-wav",
    "asterisk-core-sounds-es-wav",
    "asterisk-core-sounds-fr-wav",
    "asterisk-core-sounds-it-wav",
    "asterisk-core-sounds-ru-wav",
    "asterisk-prompt-es-co",
    "asterisk-prompt-fr-armelle",
    "asterisk-prompt-it-menardi-wav",
)
# As Asterisk's voicemail puts them together (its documentation of VoiceMail()).
MACHINES = (
    ("vm-theperson", "digits/1", "digits/0", "digits/1", "vm-isunavail", "vm-intro"),
    ("vm-theperson", "digits/2", "digits/4", "vm-isonphone", "vm-intro"),
    ("vm-theperson", "digits/5", "digits/3", "digits/7", "vm-isunavail"),
    ("vm-intro",),
)
LONGEST_WORD, WORDS_EACH = int(1.3 * RATE), 20
WORDINGS = (
    "Hello?",
    "Hello.",
    "Yes?",
    "Hi.",
    "Yeah?",
    "Hello, who is this?",
    "Hello, Ann speaking.",
    "Smith.",
    "Good morning.",
    "Good evening, Miller.",
    "Hi, this is Ben.",
    "Yes, hello?",
    "Hello? Hello?",
    "Who is there?",
    "Allo?",
    "Speaking.",
    "Ann here.",
    "This is Carol.",
    "Hello, this is Dora.",
    "Hello, can I help you?",
    "Miller's bakery, good morning.",
    "Thank you for calling, how can I help?",
    "Good morning, this is the office of Doctor Miller.",
    "Miller's bakery, Ann speaking, what can I do for you?",
)
ESPEAK = ("en+f2", "en+m3", "en-us+f4", "en-us+m7", "en-gb-scotland", "en-gb-x-rp+m1", "en-029", "en-us+croak")
FLITE = ("slt", "rms", "awb", "kal")


def found(files, name):
    ends = tuple(f"/{name}.{kind}" for kind in ("wav", "gsm", "ulaw", "alaw", "sln"))
    return next((f for f in sorted(files) if f.endswith(ends)), None)


def levelled(wave):
    wave = recordings.trimmed(wave)
    return wave * (0.08 / np.sqrt((wave**2).mean())) if len(wave) else wave


def synthesised(place):
    for voice in ESPEAK + FLITE:
        for n, text in enumerate(WORDINGS):
            path = os.path.join(place, f"{voice}-{n}.wav")
            told = (
                ["flite", "-voice", voice, "-t", text, "-o", path]
                if voice in FLITE
                else ["espeak-ng", "-v", voice, "-w", path, text]
            )
            subprocess.run(told, check=True, stderr=subprocess.DEVNULL)
            yield voice, text, path


def recorded(package, files, place):
    beep = found(files, "beep")
    for names in MACHINES:
        paths = [found(files, name) for name in names]
        if None in paths or beep is None:
            continue
        pieces = recordings.decoded(paths + [beep], place)
        # Played one behind the other, each with what silence it has.
        yield "machine", " ".join(names), np.concatenate(pieces[:-1]), pieces[-1]
    words = [f for f in sorted(files) if f.endswith((".wav", ".gsm")) and "/silence/" not in f and "beep" not in f]
    words = words[:: max(1, len(words) // 120)]
    short = [
        (f, w)
        for f, w in zip(words, recordings.decoded(words, place))
        if RATE // 4 < len(recordings.trimmed(w)) <= LONGEST_WORD
    ]
    for path, wave in short[:WORDS_EACH]:
        yield "person", os.path.basename(path), wave, None


def main(directory):
    os.makedirs(directory, exist_ok=True)
    index, at = [], 0
    with open(os.path.join(directory, "greetings.s16"), "wb") as sound, tempfile.TemporaryDirectory() as place:

        def keep(kind, source, text, wave, beep=None):
            nonlocal at
            wave = levelled(wave)
            beep = np.zeros(0, np.float32) if beep is None else levelled(beep)
            for part in (wave, beep):
                sound.write((np.clip(part, -1, 1) * 32767).astype("<i2").tobytes())
            index.append({"kind": kind, "source": source, "text": text, "span": [at, len(wave), len(beep)]})
            at += len(wave) + len(beep)

        for package in PACKAGES:
            files = recordings.installed(package) or recordings.unpacked(package, directory, True)
            before = len(index)
            for kind, text, wave, beep in recorded(package, files, place) if files else ():
                keep(kind, package, text, wave, beep)
            if len(index) == before:
                print(f"{package}: MISSING", file=sys.stderr)
        for voice, text, path in synthesised(place):
            keep("synthesised", voice, text, recordings.decoded([path], place)[0])
    with open(os.path.join(directory, "greetings.json"), "w") as file:
        json.dump(index, file)
    print(f"{len(index)} greetings, {at / RATE:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
