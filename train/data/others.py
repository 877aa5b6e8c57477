"""Voices of others, for measuring alone: people's recorded words and families of synthetic voices that no training has.

python3 train/data/others.py --to .cache/others [--fetch] [--part look|once] writes material of `longcat-rt eval`
(`--material .cache/others --suite people-wide people-telephone other-families hearing-people`). The people are those of
Debian's asterisk-core-sounds-en-g722 (16 kHz) and -wav (8 kHz): words, cut out and put together as sums. The families
are pico, mbrola's English voices through espeak-ng, and festival's ked. Nothing of them is committed or learnt from.
`look` is what may be looked at while something is decided, `once` what is measured when it is decided. A package is
taken where it is installed; --fetch brings the people's recordings. What is missing is said.
"""

import argparse
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import zlib

import numpy as np
from scipy.io import wavfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data import festival
from data.augment import resampled
from data.held_out import Writer, wanted
from data.synthesise import bare
from domain.calls import Calls
from domain.conversation import Turn
from domain.corpus import answer_segments
from domain.facts import arithmetic
from domain.words import DAYS, MONTHS, number

SEED, PARTS = 41, ("look", "once")
PEOPLE = {"wide": ("asterisk-core-sounds-en-g722", ".g722"), "telephone": ("asterisk-core-sounds-en-wav", ".wav")}
WORDS = {number(n): f"digits/{n}" for n in [*range(21), 30]}
WORDS |= {name.lower(): f"digits/day-{(i + 1) % 7}" for i, name in enumerate(DAYS)}
WORDS |= {name.lower(): f"digits/mon-{i}" for i, name in enumerate(MONTHS)}
WORDS |= {word: f"digits/{word}" for word in ("minus", "today", "tomorrow", "at")} | {"plus": "letters/plus"}
WORDS |= {word: word for word in ("hello", "goodbye", "is", "time", "for", "your", "number", "minute", "minutes")}
WORDS |= {"no": "vm-no", "and": "vm-and", "message": "vm-message"}
ALONE = {"hello": "Hello.", "goodbye": "Goodbye.", "no": "Okay."}
GAP = (0.03, 0.25)  # seconds between words
FAMILIES = ("pico en-US", "pico en-GB", "mbrola us1", "mbrola us2", "mbrola us3", "mbrola en1", "festival ked")


def places(package, directory, fetch):
    """Folders with the package's sounds: installed, or unpacked under the directory."""
    place = os.path.join(directory, "packages", package)
    if fetch and not os.path.isdir(place):
        os.makedirs(place)
        subprocess.run(["apt-get", "download", "-qq", package], cwd=place, stderr=subprocess.DEVNULL)
        for archive in glob.glob(os.path.join(place, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", archive, place], check=True)
    roots = [root + "/usr/share/asterisk/sounds/en_US_f_Allison" for root in ("", place)]
    return [root for root in roots if os.path.isdir(root)]


def recorded(path):
    """16 kHz mono in [-1, 1], without the silence around it."""
    told = ["-ac", "1", "-ar", "16000", "-f", "s16le", "-"]
    read = ["-f", "g722"] if path.endswith(".g722") else []
    raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "quiet", *read, "-i", path, *told], capture_output=True).stdout
    return bare(np.frombuffer(raw, "<i2").astype(np.float32) / 32768)


def composed(words, said, rng):
    """The recordings of these words one after another, in a quiet room."""
    pieces = [np.zeros(3200, np.float32)]
    for word in words:
        pieces += [said[word], np.zeros(int(rng.uniform(*GAP) * 16000), np.float32)]
    x = np.concatenate([*pieces, np.zeros(3200, np.float32)])
    return x * (0.7 / np.abs(x).max()) + rng.normal(size=len(x)) * 10**-4.5


def sums(part):
    """Those of this part."""
    rows = [(f.questions[2], f.answer) for f in arithmetic() if f.kind in ("sum", "difference")]
    rows += [(word, (answer,)) for word, answer in ALONE.items()]
    of = lambda text: PARTS[zlib.crc32(text.encode()) % 2]
    return sorted((q, a) for q, a in set(rows) if of(q) == part and set(q.split(" ")) <= set(WORDS))


def people(writer, part, count, directory, fetch):
    for line, (package, ending) in PEOPLE.items():
        found = places(package, directory, fetch)
        paths = {w: os.path.join(root, name + ending) for root in found for w, name in WORDS.items()}
        said = {word: recorded(path) for word, path in paths.items() if os.path.exists(path)}
        if not said:
            print(f"{package}: MISSING: not installed, nor fetched", file=sys.stderr)
            continue
        rng, dice = np.random.default_rng(SEED), random.Random(f"{SEED} {part} {line}")
        for text, answer in dice.sample(chosen := sums(part), min(count, len(chosen))):
            sound = writer.sound(f"people-{line}", composed(text.split(" "), said, rng))
            add(writer, f"people-{line}", line, Turn("sum", text, answer), sound)
        for _ in range(count):
            words = dice.choices(sorted(said), k=dice.randrange(2, 6))
            sound = writer.sound(f"hearing-people-{line}", composed(words, said, rng))
            writer.cases.append({"suite": f"hearing-people-{line}", "audio": sound, "text": " ".join(words)})
        print(f"people {line}: {len(said)} of {len(WORDS)} words", flush=True)


def add(writer, suite, kind, turn, sound):
    row = {"text": turn.said, "audio": sound, "answer": list(turn.answer), "pictures": []}
    writer.cases.append({"suite": suite, "kind": kind, "turns": [row]})


def spoken(texts, voice):
    """Samples of each text in one of FAMILIES; raises where the program is missing."""
    family, name = voice.split(" ")
    if family == "festival":
        yield from festival.speak_all(texts, name)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "said.wav")
        program = (
            ["pico2wave", "-l", name, "-w", path] if family == "pico" else ["espeak-ng", "-v", f"mb-{name}", "-w", path]
        )
        for text in texts:
            subprocess.run([*program, text], check=True, capture_output=True)
            rate, x = wavfile.read(path)
            yield (
                resampled(x.astype(np.float32) / 32768, 16000, rate) if rate != 16000 else x.astype(np.float32) / 32768
            )


def families(writer, part, count):
    talk, rng, each = Calls(), np.random.default_rng(SEED), -(-count // len(FAMILIES))
    for voice in FAMILIES:
        dice = random.Random(f"{SEED} {part} {voice}")
        turns = [wanted("facts", talk, dice)[0] for _ in range(each)]
        try:
            waves = list(spoken([turn.said for turn in turns], voice))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{voice}: MISSING: {error}", file=sys.stderr)
            continue
        for turn, x in zip(turns, waves):
            sound = writer.sound("other-families", composed(["it"], {"it": x}, rng))
            add(writer, "other-families", voice, turn, sound)
    print("families", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True)
    parser.add_argument("--part", choices=PARTS, default="once")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--fetch", action="store_true", help="bring the people's recordings (apt-get download)")
    args = parser.parse_args()
    writer = Writer(args.to)
    people(writer, args.part, args.count, args.to, args.fetch)
    families(writer, args.part, args.count)
    manifest = {"version": 4, "sentences": answer_segments(), "cases": writer.cases, "otherSentences": []}
    with open(os.path.join(args.to, "manifest.json"), "w") as file:
        json.dump(manifest, file)


if __name__ == "__main__":
    main()
