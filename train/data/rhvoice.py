"""RHVoice's English voices through its library: statistical voices of real speakers, at any rate and pitch."""

import ctypes
import functools

import numpy as np

from .augment import resampled

VOICES = ("bdl", "clb", "alan", "evgeniy-eng")
DATA, SETTINGS = b"/usr/share/RHVoice", b"/etc/RHVoice"
TEXT, UNUSED_CALLBACKS = 0, 6
_state = {"rate": 24000, "chunks": []}


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
def _set_rate(rate, _user):
    _state["rate"] = rate
    return 1


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_uint, ctypes.c_void_p)
def _collect(samples, count, _user):
    _state["chunks"].append(np.ctypeslib.as_array(samples, (count,)).copy())
    return 1


class Begin(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_char_p),
        ("settings", ctypes.c_char_p),
        ("resources", ctypes.c_void_p),
        ("set_rate", type(_set_rate)),
        ("play", type(_collect)),
        *((f"unused_{i}", ctypes.c_void_p) for i in range(UNUSED_CALLBACKS)),
        ("done", ctypes.c_void_p),
        ("options", ctypes.c_uint),
    ]


class Manner(ctypes.Structure):
    _fields_ = [
        ("voice", ctypes.c_char_p),
        *((name, ctypes.c_double) for name in ("rate", "pitch", "volume", "by_rate", "by_pitch", "by_volume")),
        ("punctuation", ctypes.c_int),
        ("punctuation_list", ctypes.c_char_p),
        ("capitals", ctypes.c_int),
        ("flags", ctypes.c_int),
    ]


@functools.lru_cache(None)
def library():
    rhvoice = ctypes.CDLL("libRHVoice.so.5")
    rhvoice.RHVoice_new_tts_engine.restype = rhvoice.RHVoice_new_message.restype = ctypes.c_void_p
    begin = Begin(data=DATA, settings=SETTINGS, set_rate=_set_rate, play=_collect)
    rhvoice.engine = ctypes.c_void_p(rhvoice.RHVoice_new_tts_engine(ctypes.byref(begin)))
    if not rhvoice.engine:
        raise OSError("RHVoice has no voices: install rhvoice-english and librhvoice5")
    return rhvoice


def speak(text, name, rate=0.0, pitch=0.0):
    """-> float32 samples at 16 kHz in [-1, 1]; rate and pitch between -1 and 1."""
    rhvoice, raw = library(), text.encode()
    manner = Manner(name.encode(), rate, pitch, 0, 1, 1, 1)
    _state["chunks"].clear()
    told = (rhvoice.engine, raw, len(raw), TEXT, ctypes.byref(manner), None)
    message = ctypes.c_void_p(rhvoice.RHVoice_new_message(*told))
    if not message or not rhvoice.RHVoice_speak(message):
        raise ValueError(f"RHVoice does not say {text!r} as {name}")
    rhvoice.RHVoice_delete_message(message)
    samples = np.concatenate(_state["chunks"]).astype(np.float32) / 32768
    return resampled(samples, 16000, _state["rate"])
