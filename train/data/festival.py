"""festival's voices: a run says many sentences into a folder. Its pipe answers only when it ends, so there is no
talking to it."""

import os
import subprocess
import tempfile

import numpy as np
from scipy.io import wavfile

from .augment import resampled

VOICES = {
    "slt-hts": "voice_cmu_us_slt_arctic_hts",
    "kal": "voice_kal_diphone",
    "rab": "voice_rab_diphone",
    "don": "voice_don_diphone",
    "ked": "voice_ked_diphone",
}
HELD_OUT = "ked"  # never in training
TIMEOUT_SECONDS = 3600


def speak_all(texts, name, stretch=1.0):
    """Yields float32 samples at 16 kHz in [-1, 1] of each text; diphone voices take `stretch` times as long."""
    with tempfile.TemporaryDirectory(prefix="festival-") as folder:
        path = lambda i: os.path.join(folder, f"{i}.wav")
        script = os.path.join(folder, "say.scm")
        with open(script, "w") as file:
            print(f"({VOICES[name]})\n(Parameter.set 'Duration_Stretch {stretch})", file=file)
            for i, text in enumerate(texts):
                print(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{path(i)}" \'riff)', file=file)
        subprocess.run(["festival", "-b", script], check=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS)
        for i in range(len(texts)):
            rate, samples = wavfile.read(path(i))
            samples = samples.astype(np.float32) / 32768
            yield samples if rate == 16000 else resampled(samples, 16000, rate)
