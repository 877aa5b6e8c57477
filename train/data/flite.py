"""flite through its library: samples and phone times of one utterance."""

import ctypes
import functools

import numpy as np


_stretched = set()  # voices that have once been told how long to speak


class Wave(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


@functools.lru_cache(None)
def library():
    flite = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
    for name in ("flite_synth_text", "utt_relation", "relation_head", "item_next"):
        getattr(flite, name).restype = ctypes.c_void_p
    flite.utt_wave.restype = ctypes.POINTER(Wave)
    flite.item_feat_string.restype = ctypes.c_char_p
    flite.item_feat_float.restype = ctypes.c_float
    flite.flite_init()
    return flite


@functools.lru_cache(None)
def voice(name):
    for dependency in ("libflite_usenglish.so.1", "libflite_cmulex.so.1"):
        ctypes.CDLL(dependency, mode=ctypes.RTLD_GLOBAL)
    library()
    module = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1")
    register = getattr(module, f"register_cmu_us_{name}")
    register.restype = ctypes.c_void_p
    return ctypes.c_void_p(register(None))


class Voice(ctypes.Structure):
    """The beginning of flite's cst_voice."""

    _fields_ = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]


def speak(text, name="rms", stretch=1.0):
    """-> (float32 samples at 16 kHz in [-1, 1], [(phone, end second), ...]); `stretch`: times as long."""
    flite = library()
    features = ctypes.c_void_p(ctypes.cast(voice(name), ctypes.POINTER(Voice)).contents.features)
    if stretch != 1.0 or name in _stretched:
        _stretched.add(name)
        flite.feat_set_float(features, b"duration_stretch", ctypes.c_float(stretch))
    utterance = ctypes.c_void_p(flite.flite_synth_text(text.encode(), voice(name)))
    wave = flite.utt_wave(utterance).contents
    samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32) / 32768
    assert wave.sample_rate == 16000, wave.sample_rate
    phones, item = [], flite.relation_head(ctypes.c_void_p(flite.utt_relation(utterance, b"Segment")))
    while item:
        pointer = ctypes.c_void_p(item)
        phones.append((flite.item_feat_string(pointer, b"name").decode(), flite.item_feat_float(pointer, b"end")))
        item = flite.item_next(pointer)
    flite.delete_utterance(utterance)
    return samples, phones
