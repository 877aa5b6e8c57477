"""Words a stranger hears: pocketsphinx with a bigram model of the domain's answers.

python3 train/judge.py codec [--count 60]     original, and resynthesised from codes: words and sentences recognised

The bigram model knows the domain, so the figures are generous; they compare voices, they do not stand alone.
"""

import argparse
import collections
import math
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from domain.corpus import answer_segments

MODEL = "/usr/share/pocketsphinx/model/en-us"
DISCOUNT = 0.5


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def write_bigrams(path, sentences):
    """ARPA file with absolute discounting."""
    ones, twos = collections.Counter(), collections.Counter()
    for s in sentences:
        row = ["<s>", *words(s), "</s>"]
        ones.update(row)
        twos.update(zip(row, row[1:]))
    total = sum(ones.values())
    follow = collections.Counter(a for a, _ in twos)
    before = collections.Counter()
    for (a, _), n in twos.items():
        before[a] += n
    log = lambda p: math.log10(max(p, 1e-9))
    with open(path, "w") as file:
        file.write(f"\\data\\\nngram 1={len(ones)}\nngram 2={len(twos)}\n\n\\1-grams:\n")
        for w, n in sorted(ones.items()):
            backoff = log(DISCOUNT * follow[w] / before[w]) if before[w] else 0.0
            file.write(f"{log(n / total):.4f} {w} {backoff:.4f}\n")
        file.write("\n\\2-grams:\n")
        for (a, b), n in sorted(twos.items()):
            file.write(f"{log((n - DISCOUNT) / before[a]):.4f} {a} {b}\n")
        file.write("\n\\end\\\n")


def write_dictionary(path, known):
    with open(f"{MODEL}/cmudict-en-us.dict") as source, open(path, "w") as file:
        for line in source:
            if re.sub(r"\(\d+\)", "", line.split(" ")[0]) in known:
                file.write(line)


def recognise(waves, rate, others=()):
    """Float waves -> recognised texts; `others`: sentences that may be said besides nano's answers."""
    sentences = sorted({*answer_segments(), *others})
    with tempfile.TemporaryDirectory() as at:
        write_bigrams(f"{at}/lm.arpa", sentences)
        write_dictionary(f"{at}/words.dict", {w for s in sentences for w in words(s)})
        with open(f"{at}/list", "w") as file:
            for i, wave in enumerate(waves):
                low = resample_poly(wave, 16000, rate) if rate != 16000 else wave
                silence = np.random.RandomState(i).normal(0, 1e-4, 4800)
                padded = np.concatenate((silence, low, silence)).clip(-1, 1)
                wavfile.write(f"{at}/{i}.wav", 16000, (padded * 32767).astype(np.int16))
                file.write(f"{i}\n")
        subprocess.run(
            [
                "pocketsphinx_batch",
                "-hmm",
                f"{MODEL}/en-us",
                "-lm",
                f"{at}/lm.arpa",
                "-dict",
                f"{at}/words.dict",
                "-ctl",
                f"{at}/list",
                "-cepdir",
                at,
                "-cepext",
                ".wav",
                "-adcin",
                "yes",
                "-adchdr",
                "44",
                "-hyp",
                f"{at}/hyp",
                "-logfn",
                "/dev/null",
            ],
            check=True,
            capture_output=True,
        )
        with open(f"{at}/hyp") as file:
            return [line.rsplit("(", 1)[0].strip() for line in file]


def score(heard, truth):
    """-> (share of words, share of sentences) recognised."""
    from stages.audio_encoder import distance

    errors = [distance(words(h), words(t)) for h, t in zip(heard, truth)]
    return 1 - sum(errors) / sum(len(words(t)) for t in truth), sum(e == 0 for e in errors) / len(errors)


def codec(count):
    import torch
    import nano
    from data.encode import Codes
    from paths import cache
    from reference.codec import CodecDecoder
    from stages.codec_tokenizer import split
    from stages.runner import trained

    torch.set_num_threads(1)
    codes, decoder = Codes(), trained("codec_decoder", "decoder", CodecDecoder(nano.CODEC["codec_config"]))
    with np.load(cache("answers.npz")) as answers:
        samples, offsets = answers["data"], answers["offsets"]
    picks = split(codes.texts)[0][:count]
    truth = [codes.texts[i] for i in picks]
    original = [samples[offsets[i] : offsets[i + 1]] / 32767 for i in picks]
    with torch.no_grad():
        made = [decoder(torch.from_numpy(codes(t))[None])[0].numpy() for t in truth]
    for name, waves, rate in (("original", original, 16000), ("from codes", made, 24000)):
        right, whole = score(recognise(waves, rate, codes.texts), truth)
        print(f"{name}: words {right:.3f} sentences {whole:.3f} (n = {len(truth)})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("codec",))
    parser.add_argument("--count", type=int, default=60)
    args = parser.parse_args()
    codec(args.count)
