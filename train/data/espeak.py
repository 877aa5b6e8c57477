"""espeak-ng through its library: many variants and accents of one formant voice."""

import ctypes
import functools
import glob
import os

import numpy as np

from .augment import resampled

SYNCHRONOUS, POSITION_CHARACTER, UTF8 = 2, 1, 1
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4
ACCENTS = ("en", "en-us", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp", "en-029")
UNUSABLE = ("whisper", "robo", "Robot", "Demonic", "croak", "fast", "anikaRobot", "UniRobot")
ROOT = os.environ.get("LONGCAT_SPEECH_ROOT")  # where data/speech_libraries.sh has unpacked the packages
DATA = ROOT and os.path.join(ROOT, "usr/lib/x86_64-linux-gnu")
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_chunks = []


@CALLBACK
def _collect(samples, count, _events):
    if samples and count > 0:
        _chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
    return 0


@functools.lru_cache(None)
def library():
    espeak = ctypes.CDLL("libespeak-ng.so.1")
    espeak.rate = espeak.espeak_Initialize(SYNCHRONOUS, 0, DATA.encode() if DATA else None, 0)
    espeak.espeak_SetSynthCallback(_collect)
    return espeak


@functools.lru_cache(None)
def variants():
    places = (DATA,) if DATA else ("/usr/lib/*", "/usr/share")
    roots = [root for place in places for root in glob.glob(place + "/espeak-ng-data/voices/!v")]
    return sorted(n for n in os.listdir(roots[0]) if not any(bad in n for bad in UNUSABLE) and " " not in n)


def speak(text, accent="en-us", variant="m3", rate=170, pitch=50, pitch_range=50):
    """-> float32 samples at 16 kHz in [-1, 1]."""
    espeak = library()
    _chunks.clear()
    if espeak.espeak_SetVoiceByName(f"{accent}+{variant}".encode()):
        raise ValueError(f"espeak-ng has no voice {accent}+{variant}")
    for parameter, value in ((RATE, rate), (PITCH, pitch), (RANGE, pitch_range)):
        espeak.espeak_SetParameter(parameter, int(value), 0)
    raw = text.encode()
    espeak.espeak_Synth(raw, len(raw) + 1, 0, POSITION_CHARACTER, 0, UTF8, None, None)
    espeak.espeak_Synchronize()
    samples = np.concatenate(_chunks).astype(np.float32) / 32768 if _chunks else np.zeros(1600, np.float32)
    return resampled(samples, 320, 441) if espeak.rate == 22050 else samples
