"""Stage A: semantic codes. Each must tell the phones of its 60 ms and, with its neighbours, the spectrum and the pitch.

The acoustic codes are fitted afterwards to what these leave open (codec_acoustics.py).

python3 train/stages/codec_tokenizer.py --minutes 12
"""

import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data import pitch
from domain.corpus import answer_segments
from paths import cache
from reference.codec_encoder import CodecEncoder
from reference.fbank import fbank, statistics
from stages.runner import Run, arguments

BATCH, FRAMES, SAMPLES, MEL, LABELS = 16, 24, 960, 6, 3
HELD_OUT = 10  # every tenth sentence that is no answer is never trained on
RESTART_EVERY = 50
USUAL_PITCH = 6.7  # log2 Hz, the middle of the output voice


class Probe(nn.Module):
    """Training-only heads on the quantised features: log mel energies, pitch, voicing, phones."""

    def __init__(self, phones):
        super().__init__()
        width = nano.CODEC["encoder"]["semantic_tokenizer_config"]["codebook_dim"]
        self.semantic = nn.Conv1d(width, 64, 1)
        self.body = nn.Sequential(
            nn.Conv1d(64, 192, 5, padding=2), nn.GELU(), nn.Conv1d(192, 192, 5, padding=2), nn.GELU()
        )
        self.out = nn.Conv1d(192, MEL * 80 + 2 * LABELS, 1)
        self.phones = nn.Sequential(nn.Conv1d(width, 128, 3, padding=1), nn.GELU(), nn.Conv1d(128, LABELS * phones, 1))

    def forward(self, semantic):
        """[B, F, 96] -> mel [B, 6F, 80], pitch and voicing logits [B, 3F], phone logits [B, 3F, phones]."""
        s = semantic.transpose(1, 2)
        out = self.out(self.body(self.semantic(s))).transpose(1, 2)
        mel, f0, voiced = out.split((MEL * 80, LABELS, LABELS), -1)
        phones = self.phones(s).transpose(1, 2)
        return (
            mel.unflatten(-1, (MEL, 80)).flatten(1, 2),
            f0.flatten(1),
            voiced.flatten(1),
            phones.unflatten(-1, (LABELS, -1)).flatten(1, 2),
        )


def split(texts):
    """-> (indices held out, indices to train on). Answers are all trained: nano says nothing else."""
    answers = set(answer_segments())
    others = [i for i, text in enumerate(texts) if text not in answers]
    test = np.array(others[::HELD_OUT])
    return test, np.setdiff1d(np.arange(len(texts)), test)


class Answers:
    """The output voice in memory: samples, phone labels, pitch. `data`: of other sentences than those of the training
    cache."""

    def __init__(self, data=None):
        data = np.load(cache("answers.npz")) if data is None else data
        self.samples, self.offsets = data["data"].astype(np.float32) / 32767, data["offsets"]
        self.labels, self.phones, self.texts = (
            data["labels"].astype(np.int64),
            list(data["phones"]),
            list(data["texts"]),
        )
        tracks = [pitch.track(self.samples[a:b]) for a, b in zip(self.offsets, self.offsets[1:])]
        self.f0 = np.concatenate([t[0] for t in tracks])
        self.voiced = np.concatenate([t[1] for t in tracks]).astype(np.float32)
        self.test, self.train = split(self.texts)

    def crop(self, i, frames, rng):
        """A slice [begin, end) in samples; a quarter at the start, a quarter at the end. Short items come whole."""
        begin, end = self.offsets[i], self.offsets[i + 1]
        room = (end - begin) // SAMPLES - frames
        if room <= 0:
            return begin, end
        at = {0: 0, 1: room}.get(rng.randint(4), rng.randint(room + 1))
        return begin + at * SAMPLES, begin + (at + frames) * SAMPLES

    def batch(self, rng, size=BATCH, frames=FRAMES):
        """samples [B, N], labels, f0, voiced [B, 3 F]; shorter items are preceded by silence."""
        n = frames * SAMPLES
        out = (
            np.zeros((size, n), np.float32),
            *(np.zeros((size, frames * LABELS), t) for t in (np.int64, np.float32, np.float32)),
        )
        for row, i in enumerate(rng.choice(self.train, size)):
            a, b = self.crop(i, frames, rng)
            out[0][row, n - (b - a) :] = self.samples[a:b]
            for target, source in zip(out[1:], (self.labels, self.f0, self.voiced)):
                target[row, (n - (b - a)) // 320 :] = source[a // 320 : b // 320]
        return [torch.from_numpy(x) for x in out]


def quantise_semantic(codebook, x):
    """Straight-through k-means assignment of normalised features; -> (quantised, codes, commitment)."""
    x = F.normalize(x, dim=-1)
    code = (codebook.pow(2).sum(0) - 2 * x.detach() @ codebook).argmin(-1)
    chosen = codebook.T[code]
    return x + (chosen - x).detach(), code, x.shape[-1] * F.mse_loss(x, chosen.detach()), x


class Ema:
    """Running means for the semantic codebook, with restarts of entries nobody uses."""

    def __init__(self, codebook):
        self.codebook, self.count, self.total = codebook, torch.ones(codebook.shape[1]), codebook.data.clone()

    def update(self, x, code, decay=0.98):
        flat, code = x.detach().flatten(0, 1), code.flatten()
        one_hot = F.one_hot(code, len(self.count)).float()
        self.count = decay * self.count + (1 - decay) * one_hot.sum(0)
        self.total = decay * self.total + (1 - decay) * (flat.T @ one_hot)
        self.codebook.data.copy_(self.total / self.count.clamp(min=1e-3))

    def restart(self, x, floor=0.03):
        dead = (self.count < floor).nonzero().flatten()
        flat = x.detach().flatten(0, 1)
        if len(dead):
            pick = flat[torch.randint(len(flat), (len(dead),))]
            self.codebook.data[:, dead] = self.total[:, dead] = pick.T
            self.count[dead] = 1.0
        return len(dead)


def losses(encoder, probe, batch, stats):
    samples, labels, f0, voiced = batch
    features = encoder.features(samples, stats)
    tokenizer = encoder.semantic_tokenizer
    semantic, code, commit, x = quantise_semantic(tokenizer.kmeans.codebook, tokenizer.model(features))
    mel, pitch_logit, voice_logit, phones = probe(semantic)
    spectral = F.l1_loss(mel[:, : features.shape[1]], features)
    phone = F.cross_entropy(phones.flatten(0, 1), labels.flatten())
    tone = (F.l1_loss(pitch_logit + USUAL_PITCH, f0, reduction="none") * voiced).sum() / voiced.sum().clamp(min=1)
    voicing = F.binary_cross_entropy_with_logits(voice_logit, voiced)
    wrong = (phones.argmax(-1) != labels).float().mean()
    total = spectral + 0.5 * phone + 2.0 * tone + 0.2 * voicing + 0.25 * commit
    return total, dict(mel=spectral, phone=phone, phone_error=wrong, f0=tone, commit=commit), x, code


def main():
    args = arguments(__doc__, minutes=12, rate=2e-3).parse_args()
    answers = Answers()
    encoder, probe = CodecEncoder(nano.CODEC["encoder"]), Probe(len(answers.phones))
    for part in (encoder.encoder, encoder.acoustic_quantizer, encoder.semantic_tokenizer.kmeans):
        part.requires_grad_(False)
    run = Run("codec_tokenizer", args, {"encoder": encoder, "probe": probe})
    stats = statistics(fbank(torch.from_numpy(answers.samples[: 16000 * 600]), CodecEncoder.SCALE))
    rng = np.random.RandomState(run.step + args.seed)
    codebook = encoder.semantic_tokenizer.kmeans.codebook
    if not run.resumed:
        with torch.no_grad():
            x = F.normalize(
                encoder.semantic_tokenizer.model(encoder.features(answers.batch(rng, 32)[0], stats)), dim=-1
            ).flatten(0, 1)
            codebook.copy_(x[torch.randperm(len(x))[: codebook.shape[1]]].T)
    ema = Ema(codebook)
    for step in run:
        total, shown, x, code = losses(encoder, probe, answers.batch(rng), stats)
        run.update(total, **shown)
        ema.update(x, code)
        if step % RESTART_EVERY == RESTART_EVERY - 1 and run.progress() < 0.7:
            run.show(restarts=ema.restart(x))
    np.savez(cache("codec_cmvn.npz"), stats=np.array(stats))


if __name__ == "__main__":
    main()
