"""Makes what the speech detector learns from: python3 train/speech_detector/scenes.py DIRECTORY [SCENES] [SEED]

Scenes of eight seconds, 16 kHz: a room (noise of many colours and levels, steps of level, babble, hum), speech of
synthesised voices (flite rms and slt, espeak-ng variants of training), and sounds that are no speech: the recordings of
`tune` (bench/turn-taking/recordings.py), tones, rings, sirens, digits of a keypad, fax, comfort noise. Half over a
telephone, a third in an echoing room, a fifth with lost packets. scenes.s16 holds them end to end, labels.u8 a byte per
20 ms: 1 speech, 0 none, 2 not to be judged.
"""

import json
import os
import re
import sys

import numpy as np
from scipy.signal import fftconvolve, lfilter, resample_poly

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from data import espeak, flite
from data.synthesise import split_variants

RATE, FRAME, SECONDS = 16000, 320, 8
LENGTH = RATE * SECONDS
UTTERANCES = 900
SHORT = (
    "stop",
    "wait",
    "no",
    "yes",
    "okay",
    "right",
    "uh-huh",
    "um-hum",
    "yeah",
    "cancel",
    "please stop",
    "hello",
    "what",
    "why",
    "thank you",
    "enough",
)
PROSE = "/usr/share/common-licenses"
NOT_FOR_TRAINING = ("f3", "f5")  # test/actors/perceive.test.ts listens to them
db = lambda level: 10 ** (level / 20)


def texts(rng):
    """Prose of everyday words: the licences that every Debian has; and words said alone."""
    words = []
    for name in ("GPL-3", "Artistic", "GFDL-1.3"):
        words += re.findall(r"[a-z]{2,12}", open(os.path.join(PROSE, name)).read().lower())
    while True:
        if rng.uniform() < 0.3:
            yield SHORT[rng.integers(len(SHORT))]
        else:
            at = rng.integers(len(words) - 12)
            yield " ".join(words[at : at + rng.integers(2, 10)])


def voices(rng):
    variants = [v for v in split_variants()[0] if v not in NOT_FOR_TRAINING]
    for _, text in zip(range(UTTERANCES), texts(rng)):
        if rng.uniform() < 0.35:
            wave = flite.speak(text, ("rms", "slt")[rng.integers(2)])[0]
        else:
            wave = espeak.speak(
                text,
                rng.choice(espeak.ACCENTS),
                rng.choice(variants),
                rng.integers(120, 230),
                rng.integers(15, 85),
                rng.integers(20, 90),
            )
        # A longer or shorter vocal tract, and with it another pitch.
        up = int(rng.integers(85, 118))
        wave = resample_poly(wave, up, 100).astype(np.float32)
        loud = np.flatnonzero(np.abs(wave) > 0.01 * np.abs(wave).max())
        if len(loud) > RATE // 10:
            wave = wave[loud[0] : loud[-1] + 1]
            yield wave / np.sqrt((wave**2).mean())


def active(wave):
    """Per frame: within 35 dB of the loudest, closures of up to 60 ms filled."""
    frames = wave[: len(wave) // FRAME * FRAME].reshape(-1, FRAME)
    power = (frames**2).mean(1)
    on = power > power.max() * 10**-3.5
    for gap in (1, 2, 3):
        for i in range(1, len(on) - gap):
            if on[i - 1] and on[i + gap]:
                on[i : i + gap] = True
    return on


def colour(rng, count):
    kind = rng.integers(4)
    white = rng.standard_normal(count)
    if kind == 0:
        return white
    if kind == 1:
        return lfilter([1 - 0.9], [1, -rng.uniform(0.6, 0.98)], white)
    if kind == 2:  # pink
        return lfilter([0.049922, -0.095993, 0.050612, -0.004408], [1, -2.494956, 2.017265, -0.522189], white)
    low, high = np.sort(rng.uniform(100, 6000, 2))
    spectrum, hz = np.fft.rfft(white), np.fft.rfftfreq(count, 1 / RATE)
    return np.fft.irfft(spectrum * np.where((hz > low) & (hz < high + 300), 1, 0.15), count)


def unit(wave):
    return wave / (np.sqrt((wave**2).mean()) + 1e-12)


def room(rng, speech):
    kind = rng.uniform()
    noise = unit(colour(rng, LENGTH))
    if kind < 0.12:  # babble: a dozen talkers, some of them backwards
        noise = np.zeros(LENGTH)
        for _ in range(rng.integers(8, 16)):
            talk = np.concatenate([speech[i][:: rng.choice((1, -1))] for i in rng.integers(len(speech), size=8)])
            noise += np.resize(np.roll(talk, rng.integers(len(talk))), LENGTH)
        noise = unit(noise)
    elif kind < 0.22:
        t = np.arange(LENGTH) / RATE
        hum = sum(
            np.sin(2 * np.pi * rng.choice((50, 60, 100, 120)) * k * t + rng.uniform(0, 6)) / k for k in (1, 2, 3, 5)
        )
        noise = unit(noise + 3 * unit(hum))
    elif kind < 0.3:  # wind or traffic: slow waves of level
        noise = noise * np.exp(
            np.interp(np.arange(LENGTH), np.arange(0, LENGTH + 4000, 4000), rng.normal(0, 0.5, LENGTH // 4000 + 1))
        )
    gain = np.ones(LENGTH)
    for _ in range(rng.integers(3) if rng.uniform() < 0.35 else 0):
        at = rng.integers(LENGTH)
        gain[at:] *= db(rng.uniform(-25, 25))
    return unit(noise * gain)


def tones(rng):
    """Sounds of machines: keypad, rings, beeps, sirens, fax, comfort noise, clicks, bursts."""
    count = int(RATE * rng.uniform(0.06, 2.5))
    t = np.arange(count) / RATE
    kind = rng.integers(8)
    if kind == 0:
        wave = np.sin(2 * np.pi * rng.choice((697, 770, 852, 941)) * t) + np.sin(
            2 * np.pi * rng.choice((1209, 1336, 1477)) * t
        )
        wave[int(RATE * rng.uniform(0.05, 0.4)) :] *= rng.integers(2)
    elif kind == 1:
        wave = np.sin(2 * np.pi * rng.uniform(150, 3500) * t) * (
            np.sin(2 * np.pi * rng.uniform(0.5, 12) * t) > rng.uniform(-1.2, 0.5)
        )
    elif kind == 2:
        wave = sum(np.sin(2 * np.pi * f * t) for f in rng.uniform(250, 2200, rng.integers(2, 4)))
    elif kind == 3:  # siren
        swept = rng.uniform(400, 1500) * (1 + rng.uniform(0.1, 0.5) * np.sin(2 * np.pi * rng.uniform(0.3, 6) * t))
        wave = np.sin(2 * np.pi * np.cumsum(swept) / RATE) + rng.uniform(0, 0.5) * np.sin(
            4 * np.pi * np.cumsum(swept) / RATE
        )
    elif kind == 4:  # struck: a bell
        wave = sum(
            np.exp(-t * rng.uniform(1, 12)) * np.sin(2 * np.pi * f * t)
            for f in rng.uniform(300, 3800, rng.integers(2, 6))
        )
    elif kind == 5:
        wave = colour(rng, count)
    elif kind == 6:  # a cough, a door: shaped noise
        wave = colour(rng, count) * np.minimum(1, t * 200) * np.exp(-t * rng.uniform(4, 30))
    else:  # an instrument: harmonics, notes that change
        notes = np.repeat(rng.uniform(100, 900) * 2 ** (rng.integers(-7, 8, 12) / 12), -(-count // 12))[:count]
        phase = 2 * np.pi * np.cumsum(notes) / RATE
        wave = sum(np.sin(k * phase) / k ** rng.uniform(0.3, 2) for k in range(1, rng.integers(2, 12)))
    fade = min(80, count // 4)
    wave[:fade] *= np.linspace(0, 1, fade)
    wave[-fade:] *= np.linspace(1, 0, fade)
    return unit(wave)


def echoing(rng, wave):
    tail = int(RATE * rng.uniform(0.1, 0.4))
    answer = rng.standard_normal(tail) * np.exp(-np.arange(tail) * 7 / tail) * rng.uniform(0.02, 0.1)
    answer[0] = 1
    return fftconvolve(wave, answer)[: len(wave)]


def telephone(rng, wave):
    narrow = np.clip(resample_poly(wave, 1, 2), -1, 1)
    narrow = lfilter([0.92, -0.92], [1, -0.86], narrow)
    law = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    law = np.round(law * 127) / 127
    return resample_poly(np.sign(law) * np.expm1(np.abs(law) * np.log(256)) / 255, 2, 1)[:LENGTH]


def lost(rng, wave):
    rate, burst, is_lost = rng.uniform(0.01, 0.2), rng.uniform(1, 4), False
    for at in range(int(rng.integers(FRAME)), len(wave), FRAME):
        is_lost = rng.uniform() < (1 - 1 / burst if is_lost else rate / burst)
        if is_lost:
            wave[at : at + FRAME] = 0
    return wave


def recorded(rng, recordings):
    """Each kind as often as another, however many recordings it has; of a long one any part."""
    kind = list(recordings)[rng.integers(len(recordings))]
    wave = recordings[kind][rng.integers(len(recordings[kind]))]
    return wave[int(len(wave) * rng.uniform(0, 0.7)) :] if len(wave) > RATE and rng.uniform() < 0.4 else wave


def scene(rng, speech, recordings):
    frames = LENGTH // FRAME
    said, others = np.zeros(LENGTH), np.zeros(LENGTH)
    is_speech, is_other = np.zeros(frames, bool), np.zeros(frames, bool)
    level = rng.uniform(-36, -14)
    at = int(rng.uniform(0, 2) * RATE) if rng.uniform() < 0.85 else 0
    talks = rng.uniform() < 0.55
    while talks and at < LENGTH - RATE // 2:
        wave = speech[rng.integers(len(speech))]
        begin, wave = at // FRAME, wave[: LENGTH - at // FRAME * FRAME]
        said[begin * FRAME : begin * FRAME + len(wave)] += wave * db(rng.uniform(-3, 3))
        on = active(wave)
        is_speech[begin : begin + len(on)] |= on
        at += len(wave) + int(RATE * rng.exponential(0.8 if rng.uniform() < 0.7 else 3))
    other_level = level + rng.uniform(-9, 8)
    for _ in range(rng.integers(1, 5) if rng.uniform() < (0.45 if talks else 0.85) else 0):
        wave = recorded(rng, recordings) if recordings and rng.uniform() < 0.75 else tones(rng)
        if rng.uniform() < 0.5:
            wave = resample_poly(wave, int(rng.integers(75, 130)), 100)
        begin = int(rng.integers(frames - 5))
        wave = unit(wave)[: LENGTH - begin * FRAME]
        others[begin * FRAME : begin * FRAME + len(wave)] += wave
        is_other[begin : begin + len(wave) // FRAME + 1] = True
    if rng.uniform() < 0.35:
        said, others = echoing(rng, said), echoing(rng, others)
    noise_level = min(level - rng.uniform(6, 38), rng.uniform(-75, -32))
    wave = said * db(level) + others * db(other_level) + room(rng, speech) * db(noise_level)
    # Under another sound that is as loud nobody knows; in the tail of a room neither.
    unsure = is_speech & is_other if other_level > level - 4 else np.zeros(frames, bool)
    if rng.uniform() < 0.3:
        wave = lfilter([1, rng.uniform(-0.6, 0.6)], [1], wave)
    wave = wave * db(rng.uniform(-14, 4))
    if rng.uniform() < 0.5:
        wave = telephone(rng, wave)
    if rng.uniform() < 0.2:
        wave = lost(rng, wave)
    labels = is_speech.astype(np.uint8)
    labels[unsure] = 2
    return np.clip(wave, -1, 1), labels


def main(directory, scenes="640", seed="1"):
    rng = np.random.default_rng(int(seed))
    os.makedirs(directory, exist_ok=True)
    place = os.path.join(directory, "..", "turn-taking", "recordings")
    recordings = {}
    if os.path.exists(os.path.join(place, "sounds.json")):
        sound = np.fromfile(os.path.join(place, "sounds.s16"), "<i2").astype(np.float32) / 32768
        for entry in json.load(open(os.path.join(place, "sounds.json"))):
            if entry["set"] == "tune":
                at, count = entry["span"]
                recordings.setdefault(entry["kind"], []).append(sound[at : at + count])
    if not recordings:
        print(
            "no recordings: run bench/turn-taking/recordings.py first; only synthetic sounds are learnt",
            file=sys.stderr,
        )
    speech = list(voices(rng))
    with (
        open(os.path.join(directory, "scenes.s16"), "wb") as sound,
        open(os.path.join(directory, "labels.u8"), "wb") as marks,
    ):
        for _ in range(int(scenes)):
            wave, labels = scene(rng, speech, recordings)
            sound.write((wave * 32767).astype("<i2").tobytes())
            marks.write(labels.tobytes())
    print(
        f"{scenes} scenes, {len(speech)} utterances, {sum(map(len, recordings.values()))} recordings", file=sys.stderr
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
