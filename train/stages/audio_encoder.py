"""Stage C: audio encoder by word CTC over the questions.

python3 train/stages/audio_encoder.py --minutes 15      python3 train/stages/audio_encoder.py --test

Follows `data/synthesise.py questions` while that is at work. Goes on from a checkpoint of another word list; `--minutes
0` only fits the checkpoint to the words of today. `--head`: only the layer that names words learns, for words that came
late.
"""

import glob
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from domain.corpus import heard_words
from nano import BLANK
from paths import cache
from reference.audio_encoder import AudioEncoder
from reference.fbank import cmvn, statistics
from stages import bent
from stages.averaged import Averaged
from stages.grown import adopt
from stages.runner import arguments, trained

BATCH = {"cpu": 32, "cuda": 512}
ENOUGH, PATIENCE = {"cpu": 1, "cuda": 10000}, 0.25  # utterances to begin with; waited for so much of the time, at most
LOOK_SECONDS, JUDGE_SECONDS = 5, 120
BINS, CONTEXT, STRIDE = 80, 7, 8
MOST_WORDS = 24
NOISY, NOISE_BELOW_DB = 0.4, (6, 30)
MASKS, MASK_WIDTH = 2, 12
WARP = 0.85, 1.35  # times as long: people's words are slower than any voice's sentences
GUIDED_STEPS = 400  # CTC alone idles for long on a plateau of blanks; a crude alignment gets it going


class Questions:
    """Filter-bank features of many utterances, end to end in half precision on the device; more may be added."""

    def __init__(self, words, device, paths=()):
        self.number = {w: i + 1 for i, w in enumerate(words)}
        self.data, self.frames = torch.empty(0, BINS, dtype=torch.half, device=device), 0
        self.begins, self.lengths, self.targets, self.counts = (np.zeros(s, int) for s in (0, 0, (0, MOST_WORDS), 0))
        self.known = set()
        self.add(paths)

    def __len__(self):
        return len(self.lengths)

    def add(self, paths):
        """-> whether any of the files was new."""
        new = [p for p in paths if p not in self.known]
        for path in new:
            self.known.add(path)
            with np.load(path) as part:
                data, offsets, texts = part["data"], part["offsets"], part["texts"]
            self._keep(torch.from_numpy(data))
            numbers = [self.numbers_of(str(t)) for t in texts]
            rows = np.zeros((len(numbers), MOST_WORDS), int)
            for row, n in zip(rows, numbers):
                row[: len(n)] = n
            self.begins = np.concatenate((self.begins, self.frames - len(data) + offsets[:-1]))
            self.lengths = np.concatenate((self.lengths, np.diff(offsets)))
            self.targets = np.concatenate((self.targets, rows))
            self.counts = np.concatenate((self.counts, [len(n) for n in numbers]))
        return bool(new)

    def _keep(self, data):
        end = self.frames + len(data)
        if end > len(self.data):
            larger = self.data.new_empty(max(end, len(self.data) * 3 // 2), BINS)
            larger[: self.frames] = self.data[: self.frames]
            self.data = larger
        self.data[self.frames : end] = data.to(self.data.device)
        self.frames = end

    def numbers_of(self, text):
        """None where a word has no name here: such a sentence asks nothing of the word head."""
        words = text.lower().split(" ")
        return [self.number[w] for w in words] if all(w in self.number for w in words) else []

    def by_length(self, rng):
        """Numbers of all utterances; neighbours are of similar length."""
        return np.argsort(self.lengths * rng.uniform(0.97, 1.03, len(self)))

    def batch(self, chosen):
        """-> (features [B, T, 80] padded with the last frame, lengths [B])."""
        lengths = torch.from_numpy(self.lengths[chosen]).to(self.data.device)
        begins = torch.from_numpy(self.begins[chosen]).to(self.data.device)
        return self.data[begins[:, None] + steps(int(self.lengths[chosen].max()), lengths)].float(), lengths

    def words_of(self, chosen):
        """-> (targets [B, W], how many [B]), on the device."""
        counts = self.counts[chosen]
        return [torch.from_numpy(x).to(self.data.device) for x in (self.targets[chosen][:, : counts.max()], counts)]


def steps(count, lengths):
    """0, 1, ... of every row, stopping at its last frame: [B, count]."""
    return torch.minimum(torch.arange(count, device=lengths.device)[None], lengths[:, None] - 1)


def draw(count, rng, bending=False):
    """What happens to each of `count` utterances, as arrays [count, ...]; with `bending` what `bent` does too."""
    uniform = lambda low, high, *more: rng.uniform(low, high, (count, *more)).astype(np.float32)
    return {
        "warp": uniform(*WARP),
        "tract": uniform(0.92, 1.08),
        "noisy": uniform(0, 1) < NOISY,
        "noise_below_db": uniform(*NOISE_BELOW_DB),
        "noise_tilt": uniform(-1, 6),
        "level": uniform(-2, 2),
        "tilt": uniform(-1.5, 1.5),
        "mask_width": rng.integers(0, MASK_WIDTH, (count, 2, MASKS)),
        "mask_at": uniform(0, 1, 2, MASKS),
        "late": rng.integers(0, 8, count),
        **(bent.draw(count, rng) if bending else {}),
    }


def between(x, at, dim):
    """x at the fractional places `at` along `dim` by linear interpolation."""
    low = at.long().clamp(max=x.shape[dim] - 1)
    share = at - low
    return (
        x.gather(dim, low.expand(*at.shape)) * (1 - share)
        + x.gather(dim, (low + 1).clamp(max=x.shape[dim] - 1)) * share
    )


def warped(lengths, warp):
    """Frames of utterances that are said more slowly or faster."""
    return (lengths * warp).long().clamp(min=20)


def augment(x, lengths, p, ripple=None):
    """Time warp, vocal-tract length, noise, tilt, level, masks. x [B, T, 80] before CMVN; p: of `draw`, as tensors.

    -> (x, begins, ends): the frames of each row that are used. Noise ripples as `ripple` [B, T', 80], drawn where not
    given.
    """
    rows, column = len(x), lambda name: p[name][:, None, None]
    ends = warped(lengths, p["warp"])
    longest = int(ends.max())
    at = (torch.arange(longest, device=x.device) + 0.5)[None] * (lengths / ends)[:, None] - 0.5
    if bends := "pace" in p:
        at = bent.places(p["pace"], longest, lengths, ends)
    at = torch.minimum(at.clamp(min=0), lengths[:, None] - 1.0)
    x = between(x, at[..., None].expand(rows, longest, BINS), 1)
    at = torch.arange(BINS, device=x.device) * p["tract"][:, None]
    if bends:
        at = at + bent.along(p["bend"], BINS)
    at = at.clamp(0, BINS - 1.001)
    x = between(x, at[:, None].expand(rows, longest, BINS), 2)
    used = torch.arange(longest, device=x.device)[None] < ends[:, None]
    if bends:
        x = bent.coloured(x, p)
    x = torch.where(column("noisy"), noisy(x, used, column("noise_below_db"), column("noise_tilt"), ripple), x)
    if bends:
        x = bent.narrowed(x, p)
    x = x + column("level") + torch.linspace(-1, 1, BINS, device=x.device) * column("tilt")
    mean = (x * used[..., None]).sum((1, 2)) / (ends * BINS)
    masked = covered(BINS, p["mask_width"][:, 0], (p["mask_at"][:, 0] * 70).long())[:, None]
    room = (ends - MASK_WIDTH).clamp(min=1)[:, None]
    masked = masked | covered(longest, p["mask_width"][:, 1], (p["mask_at"][:, 1] * room).long())[..., None]
    return torch.where(masked, mean[:, None, None], x), p["late"], ends


def covered(count, widths, begins):
    """[B, count]: within any of a row's masks."""
    at = torch.arange(count, device=widths.device)
    return ((at >= begins[..., None]) & (at < (begins + widths)[..., None])).any(1)


def noisy(x, used, below_db, tilt, ripple=None):
    """Steady coloured noise, added where energies add: below the logarithm. x: natural logarithms."""
    inside = x.masked_fill(~used[..., None], -math.inf)
    mean_energy = inside.flatten(1).logsumexp(1) - (used.sum(1) * BINS).log()
    floor = mean_energy[:, None, None] - below_db / 10 * math.log(10)
    slope = torch.linspace(0.5, -0.5, BINS, device=x.device) * tilt
    if ripple is None:
        ripple = torch.empty_like(x).exponential_()
    return torch.logaddexp(x, floor + slope + (ripple + 1e-2).log() * 0.5)


def vectors(x, begins, ends, stats):
    """Normalised, spliced: -> (inputs [B, T, 1200], valid [B, T], lengths [B])."""
    lengths = torch.div(ends - begins + STRIDE - 1, STRIDE, rounding_mode="floor")
    count = int(lengths.max())
    centres = begins[:, None, None] + torch.arange(count, device=x.device)[None, :, None] * STRIDE
    at = centres + torch.arange(-CONTEXT, CONTEXT + 1, device=x.device)
    at = torch.minimum(torch.maximum(at, begins[:, None, None]), ends[:, None, None] - 1)
    row = torch.arange(len(x), device=x.device)[:, None, None]
    return cmvn(x, stats)[row, at].flatten(2), torch.arange(count, device=x.device)[None] < lengths[:, None], lengths


def spelling(log_shares, targets, lengths, counts):
    """Word CTC over the sentences whose words all have names."""
    named = counts > 0
    return F.ctc_loss(
        log_shares[named].transpose(0, 1),
        targets[named],
        lengths[named],
        counts[named],
        blank=BLANK,
        zero_infinity=True,
    )


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
        labels[int(round(a)) : max(int(round(b)), int(round(a)) + 1)] = i
    return labels


def guidance(logits, x, begins, ends, targets, counts, valid, words):
    rows = zip(x.cpu(), begins.tolist(), ends.tolist(), targets.tolist(), counts.tolist(), valid.sum(1).tolist())
    guide = torch.cat([crude_alignment(f[a:b], t[:n], words, k) for f, a, b, t, n, k in rows])
    return F.nll_loss(logits[valid], guide.to(logits.device))


def greedy_words(ids):
    """Word numbers of the likeliest class of each vector."""
    return [i for i, last in zip(ids, [BLANK, *ids]) if i not in (BLANK, last)]


def distance(a, b):
    """Word edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@torch.no_grad()
def accuracy(encoder, questions, stats, size=128):
    """-> (share of words right, share of sentences right)."""
    errors, order = [], np.argsort(questions.lengths)
    for i in range(0, len(order), size):
        chosen = order[i : i + size]
        x, lengths = questions.batch(chosen)
        inputs, valid, counts = vectors(x, torch.zeros_like(lengths), lengths, stats)
        ids = encoder.output(encoder(inputs, valid)).argmax(-1).cpu().tolist()
        for row, n, k in zip(ids, counts.tolist(), chosen):
            errors.append(distance(greedy_words(row[:n]), questions.targets[k, : questions.counts[k]].tolist()))
    return 1 - sum(errors) / questions.counts.sum(), errors.count(0) / len(errors)


def test():
    torch.set_num_threads(1)
    words, stats = heard_words(), np.load(cache("audio_cmvn.npz"))["stats"]
    encoder = trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(words)))
    for name in ("seen", "unseen", "awb", "festival"):
        right, whole = accuracy(encoder, Questions(words, "cpu", [cache(f"test-{name}.npz")]), stats)
        print(f"{name}: words {right:.3f} sentences {whole:.3f}", flush=True)


def files():
    return sorted(glob.glob(cache("questions-*.npz")) + glob.glob(cache("salad-*.npz")))


def wait_for_questions(words, device, args):
    """What `data/synthesise.py` has made so far; the wait counts as part of the wall-clock minutes."""
    questions, begun, waited = Questions(words, device, files()), time.time(), 0.0
    while (
        not len(questions)
        or not os.path.exists(cache("test-unseen.npz"))
        or (len(questions) < ENOUGH[device] and waited < PATIENCE * args.minutes)
    ):
        time.sleep(LOOK_SECONDS)
        questions.add(files())
        waited = (time.time() - begun) / 60
    if args.wall:
        args.minutes -= waited
    return questions


def normalisation(questions):
    """Kept from the first piece on: the encoder is used to it."""
    if not os.path.exists(cache("audio_cmvn.npz")):
        np.savez(
            cache("audio_cmvn.npz"), stats=np.array(statistics(questions.data[: min(questions.frames, 300000)].cpu()))
        )
    return np.load(cache("audio_cmvn.npz"))["stats"]


def main():
    parser = arguments(__doc__, minutes=15, rate=1e-3)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--head", action="store_true", help="only the layer that names words learns")
    parser.add_argument("--bent", action="store_true", help="voices differ as `stages/bent.py` draws it")
    parser.add_argument("--save-seconds", type=float, default=300)
    args = parser.parse_args()
    if args.test:
        return test()
    words, scratch = heard_words(), not os.path.exists(cache("audio_encoder.pt"))
    adopt(words)
    if args.minutes <= 0:
        return
    torch.backends.cuda.matmul.allow_tf32 = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    questions = wait_for_questions(words, device, args)
    unseen = Questions(words, device, [cache("test-unseen.npz")])
    stats = normalisation(questions)
    encoder = AudioEncoder(nano.audio_config(words))
    if args.head:
        encoder.requires_grad_(False).output.requires_grad_(True)
    run = Averaged("audio_encoder", args, {"encoder": encoder})
    size, looked, judged = min(BATCH[device], len(questions)), time.time(), time.time()
    for step in run:
        if run.turns():
            rng = np.random.default_rng(run.seed())
            order = questions.by_length(rng)
        if time.time() - looked > LOOK_SECONDS:
            looked = time.time()
            if questions.add(files()):
                order = questions.by_length(rng)
        at = rng.integers(0, len(order) - size + 1)
        chosen = order[at : at + size]
        p = {name: torch.from_numpy(v).to(device) for name, v in draw(size, rng, args.bent).items()}
        x, begins, ends = augment(*questions.batch(chosen), p)
        inputs, valid, lengths = vectors(x, begins, ends, stats)
        targets, counts = questions.words_of(chosen)
        logits = encoder.output(encoder(inputs, valid)).log_softmax(-1)
        loss = spelling(logits, targets, lengths, counts)
        if scratch and step < GUIDED_STEPS:
            guide = guidance(logits, x, begins, ends, targets, counts, valid, words)
            run.show(guidance=guide)
            loss = loss * step / GUIDED_STEPS + guide
        run.update(loss, utterances=len(questions))
        if time.time() - judged > JUDGE_SECONDS:
            judged = time.time()
            with run.averaged():
                right, whole = accuracy(encoder, unseen, stats)
            run.show(test_unseen=right)
            print(
                f"unseen: words {right:.3f} sentences {whole:.3f} of {len(questions)} utterances, step {step}",
                flush=True,
            )
        if not args.steps and time.time() - run.saved > args.save_seconds:
            run.save()
    test()


if __name__ == "__main__":
    main()
