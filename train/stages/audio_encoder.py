"""Stage C: audio encoder by word CTC over the questions.

python3 train/stages/audio_encoder.py --minutes 15      python3 train/stages/audio_encoder.py --test
"""
import glob
import math
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from domain.corpus import heard_words
from paths import cache
from reference.audio_encoder import AudioEncoder
from reference.fbank import cmvn, splice, statistics
from stages.runner import Run, arguments, trained

BATCH = 32
BLANK = 0
NOISY, NOISE_BELOW_DB = 0.4, (6, 30)
GUIDED_STEPS = 400  # CTC alone idles for long on a plateau of blanks; a crude alignment gets it going


class Questions:
    """Filter-bank features of many utterances, end to end in half precision."""

    def __init__(self, paths):
        parts = [np.load(p) for p in paths]
        self.data = np.concatenate([p["data"] for p in parts])
        lengths = np.concatenate([np.diff(p["offsets"]) for p in parts])
        self.offsets = np.concatenate(([0], np.cumsum(lengths)))
        self.texts = np.concatenate([p["texts"] for p in parts])

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, i):
        return torch.from_numpy(self.data[self.offsets[i]:self.offsets[i + 1]].astype(np.float32))


def augment(x, rng):
    """Time warp, vocal-tract length, noise, tilt, level, masks; x: [T, 80] before CMVN."""
    t = max(20, int(len(x) * rng.uniform(0.88, 1.14)))
    x = F.interpolate(x.T[None], size=t, mode="linear", align_corners=False)[0].T
    at = (torch.arange(80) * rng.uniform(0.92, 1.08)).clamp(0, 78.999)
    low = at.long()
    x = x[:, low] * (1 - (at - low)) + x[:, low + 1] * (at - low)
    if rng.uniform() < NOISY:
        x = noisy(x, rng)
    x = x + rng.uniform(-2, 2) + torch.linspace(-1, 1, 80) * rng.uniform(-1.5, 1.5)
    floor = x.mean()
    for _ in range(2):
        width, begin = rng.randint(0, 12), rng.randint(0, 70)
        x[:, begin:begin + width] = floor
    for _ in range(2):
        width, begin = rng.randint(0, 12), rng.randint(0, max(1, t - 12))
        x[begin:begin + width] = floor
    return x[rng.randint(0, 8):]


def noisy(x, rng):
    """Steady coloured noise, added where energies add: below the logarithm. x: [T, 80] natural logarithms."""
    mean_energy = torch.logsumexp(x.flatten(), 0) - math.log(x.numel())
    floor = mean_energy - rng.uniform(*NOISE_BELOW_DB) / 10 * math.log(10)
    slope = torch.linspace(0.5, -0.5, 80) * rng.uniform(-1, 6)
    ripple = torch.from_numpy(rng.exponential(size=tuple(x.shape)).astype(np.float32) + 1e-2).log() * 0.5
    return torch.logaddexp(x, floor + slope + ripple)


def spliced(features, stats):
    return splice(cmvn(features, stats))


def batch_of(items, stats):
    """-> (inputs [B, T, 1200], valid [B, T])."""
    rows = [spliced(x, stats) for x in items]
    inputs = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(r) for r in rows])
    return inputs, torch.arange(inputs.shape[1])[None] < lengths[:, None], lengths


def crude_alignment(x, targets, words, count):
    """Spreads the words over the loud part of x [T, 80] by their letters: -> a class for each of `count` vectors."""
    level = x.mean(1)
    low, high = np.percentile(level.numpy(), (5, 95))
    loud = (level > (low + high) / 2).nonzero().flatten()
    begin, end = int(loud[0]) / 8, int(loud[-1]) / 8 + 1
    letters = np.cumsum([0] + [2 + len(words[i - 1]) for i in targets])
    edges = begin + (end - begin) * letters / letters[-1]
    labels = torch.zeros(count, dtype=torch.long)
    for i, a, b in zip(targets, edges, edges[1:]):
        labels[int(round(a)):max(int(round(b)), int(round(a)) + 1)] = i
    return labels


def greedy_words(logits, words):
    ids = logits.argmax(-1)
    keep = torch.cat((torch.tensor([True]), ids[1:] != ids[:-1])) & (ids != BLANK)
    return [words[i - 1] for i in ids[keep].tolist()]


def distance(a, b):
    """Word edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@torch.no_grad()
def accuracy(encoder, questions, stats, words):
    """-> (share of words right, share of sentences right)."""
    errors = total = whole = 0
    for i in range(0, len(questions), BATCH):
        part = range(i, min(i + BATCH, len(questions)))
        inputs, valid, lengths = batch_of([questions[k] for k in part], stats)
        logits = encoder.output(encoder(inputs, valid))
        for row, k in enumerate(part):
            truth = questions.texts[k].lower().split(" ")
            wrong = distance(greedy_words(logits[row, :lengths[row]], words), truth)
            errors, total, whole = errors + wrong, total + len(truth), whole + (wrong == 0)
    return 1 - errors / total, whole / len(questions)


def test():
    torch.set_num_threads(1)
    words, stats = heard_words(), np.load(cache("audio_cmvn.npz"))["stats"]
    encoder = trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(words)))
    for name in ("seen", "unseen", "awb"):
        right, whole = accuracy(encoder, Questions([cache(f"test-{name}.npz")]), stats, words)
        print(f"{name}: words {right:.3f} sentences {whole:.3f}", flush=True)


def main():
    parser = arguments(__doc__, minutes=15, rate=1e-3)
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    if args.test:
        return test()
    words = heard_words()
    number = {w: i + 1 for i, w in enumerate(words)}
    questions = Questions(sorted(glob.glob(cache("questions-*.npz")) + glob.glob(cache("salad-*.npz"))))
    stats = statistics(torch.from_numpy(questions.data[:300000].astype(np.float32)))
    np.savez(cache("audio_cmvn.npz"), stats=np.array(stats))
    encoder = AudioEncoder(nano.audio_config(words))
    run = Run("audio_encoder", args, {"encoder": encoder})
    rng = np.random.RandomState(run.step + args.seed)
    order = np.argsort(np.diff(questions.offsets)[:len(questions)], kind="stable")  # neighbours are of similar length
    for step in run:
        at = rng.randint(0, len(order) - BATCH)
        chosen = order[at:at + BATCH]
        items = [augment(questions[k], rng) for k in chosen]
        inputs, valid, lengths = batch_of(items, stats)
        targets = [torch.tensor([number[w] for w in questions.texts[k].lower().split(" ")]) for k in chosen]
        logits = encoder.output(encoder(inputs.to(run.device), valid.to(run.device))).log_softmax(-1)
        loss = F.ctc_loss(logits.transpose(0, 1), torch.cat(targets), lengths, torch.tensor([len(t) for t in targets]),
                          blank=BLANK, zero_infinity=True)
        if step < GUIDED_STEPS:
            guide = torch.cat([crude_alignment(x, t.tolist(), words, n) for x, t, n in zip(items, targets, lengths.tolist())])
            guidance = F.nll_loss(logits[valid], guide)
            run.show(guidance=guidance)
            loss = loss * step / GUIDED_STEPS + guidance
        run.update(loss)
        if step % 500 == 499:
            encoder.eval()
            run.show(test_unseen=accuracy(encoder, Questions([cache("test-unseen.npz")]), stats, words)[0])
            encoder.train()
    test()


if __name__ == "__main__":
    main()
