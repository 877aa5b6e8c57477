"""Stage B: wave decoder from codes; spectral losses, then an adversary on complex spectrograms.

python3 train/stages/codec_decoder.py --minutes 30                 (spectral only)
python3 train/stages/codec_decoder.py --minutes 60 --adversary
python3 train/stages/codec_decoder.py --test                       (log-mel distance, the grid of the strides)

Every stride of the decoder begins its samples anew, so its sound may be rougher at multiples of the strides' products:
tones that no voice has. `grid` measures it, and what is more than the voice's own costs.
"""

import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from scipy.signal import resample_poly
from torch import nn
from torch.nn.utils import weight_norm

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data.encode import Codes
from paths import cache
from reference.codec import CodecDecoder
from reference.fbank import mel_weights
from stages.averaged import Averaged
from stages.codec_tokenizer import split
from stages.runner import arguments

BATCH, FRAMES, SAMPLES = {"cpu": 6, "cuda": 32}, 24, 1440
WARM_FRAMES, LOOK_AHEAD = 4, 3  # not scored: memory still filling at a cut, future not visible at a cut
SIZES = (2048, 1024, 512, 256)
FLOOR = 5e-3
JUDGED = {"cpu": 8, "cuda": FRAMES - WARM_FRAMES - LOOK_AHEAD}  # frames of each crop that the critics hear
CRITICS = {"cpu": (32, (1024, 512)), "cuda": (64, (2048, 1024, 512))}  # width, resolutions
JUDGE_SECONDS, TESTED = 60, 24
ADVERSARIAL, MATCHING = 0.12, 0.15
PERIODS = (5, 30, 180, 1440)  # samples: products of the last strides
GRID = 0.1
PLACES, REMEMBERED, EVEN = 30.0, 0.97, 1.05  # with `--places`: weight, share of a memory, roughness that costs nothing


class Speech:
    """Codes and 24 kHz samples of the output voice on the device, as one endless sequence of answers in random
    order."""

    def __init__(self, device):
        codes = Codes()
        with np.load(cache("answers.npz")) as answers:
            data, offsets = answers["data"], answers["offsets"]
        waves = [resample_poly(data[a:b].astype(np.float32) / 32767, 3, 2) for a, b in zip(offsets, offsets[1:])]
        self.waves = torch.from_numpy(np.concatenate(waves).astype(np.float32)).view(-1, SAMPLES).to(device)
        self.codes = torch.from_numpy(codes.data).to(device).long()
        self.offsets = codes.offsets
        assert len(self.codes) == len(self.waves), "codes.npz belongs to other answers"
        self.test, self.train = split(codes.texts)

    def item(self, rng, pool):
        """(numbers of FRAMES frames, scored [FRAMES]): answers joined; a quarter of the crops at the start or the
        end."""
        pick = list(rng.choice(pool, 2))
        while sum(self.offsets[i + 1] - self.offsets[i] for i in pick) < FRAMES:
            pick.append(rng.choice(pool))
        frames = np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in pick])
        room = len(frames) - FRAMES
        at = {0: 0, 1: room}.get(rng.randint(4), rng.randint(room + 1))
        scored = np.ones(FRAMES, np.float32)
        if at > 0:
            scored[:WARM_FRAMES] = 0
        if at < room:
            scored[-LOOK_AHEAD:] = 0
        return frames[at : at + FRAMES], scored

    def batch(self, rng, size, pool=None):
        """-> (codes [B, F, 4], samples, 0 or 1 for each sample)."""
        items = (self.item(rng, self.train if pool is None else pool) for _ in range(size))
        frames, scored = (torch.from_numpy(np.stack(x)).to(self.codes.device) for x in zip(*items))
        return self.codes[frames], self.waves[frames].flatten(1), scored.repeat_interleave(SAMPLES, 1)


def spectrum(x, size):
    window = torch.hann_window(size, device=x.device)
    return torch.stft(x, size, size // 4, window=window, return_complex=True)


class SpectralLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mel", mel_weights(80, 1024, 24000, 40, 8000))

    def forward(self, made, real):
        """Log magnitude and spectral convergence at four resolutions; log-mel L1. -> (loss, log-mel L1)."""
        total = 0
        for size in SIZES:
            m, r = spectrum(made, size).abs(), spectrum(real, size).abs()
            total = total + (m.clamp(min=FLOOR).log() - r.clamp(min=FLOOR).log()).abs().mean()
            total = total + 0.5 * (m - r).norm() / r.norm().clamp(min=1e-3)
            if size == 1024:
                mel = [torch.einsum("mf,bft->bmt", self.mel, s).clamp(min=FLOOR).log() for s in (m, r)]
        log_mel = F.l1_loss(*mel)
        return total / len(SIZES) + 1.5 * log_mel, log_mel


def roughness(x, scored, period):
    """Mean size of the second difference of x [B, N] at each place of a period, over its mean over all places:
    [period], of mean 1."""
    second = (x[:, 2:] - 2 * x[:, 1:-1] + x[:, :-2]).abs() * scored[:, 1:-1]
    length = second.shape[1] // period * period
    places = second[:, :length].view(len(x), -1, period).sum((0, 1)) / scored[:, 1:-1][:, :length].view(
        len(x), -1, period
    ).sum((0, 1)).clamp(min=1)
    return places / places.mean().clamp(min=1e-9)


def grid(made, real, scored):
    """How much more the places of each period differ than in the voice itself."""
    spread = lambda x, period: (roughness(x, scored, period) - 1).pow(2).sum() * PERIODS[1] / period
    return sum(F.relu(spread(made, period) - spread(real, period)) for period in PERIODS)


class Places(nn.Module):
    """What each place of a period is like over some thousands of frames: a batch has a hundred, in which a loud sound
    hides that a place is always rough. Those that are cost what they add."""

    def __init__(self):
        super().__init__()
        for period in PERIODS:
            self.register_buffer(f"of_{period}", torch.ones(period))

    def forward(self, made, scored):
        cost = 0
        for period in PERIODS:
            now, kept = roughness(made, scored, period), getattr(self, f"of_{period}")
            kept.lerp_(now.detach(), 1 - REMEMBERED)
            cost = cost + (F.relu(kept - EVEN) * now).mean()
        return cost


class Critic(nn.Module):
    """Judges one resolution of the complex spectrogram."""

    def __init__(self, size, width):
        super().__init__()
        self.size = size
        widths = (2, width // 2, width, width, width)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 3), stride=(2, 1), padding=(2, 1))) for a, b in zip(widths, widths[1:])
        )
        self.out = weight_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x):
        s = spectrum(x, self.size)
        x, maps = torch.stack((s.real, s.imag), 1), []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            maps.append(x)
        return self.out(x), maps


def window(made, real, rng):
    """The same random piece of both: judging all of it would cost more than making it."""
    judged = JUDGED[made.device.type]
    at = rng.randint(WARM_FRAMES, FRAMES - LOOK_AHEAD - judged + 1) * SAMPLES
    return made[:, at : at + judged * SAMPLES], real[:, at : at + judged * SAMPLES]


def critic_loss(critics, made, real):
    """-> (loss, the critics' maps of the real sound)."""
    loss, wanted = 0, []
    for critic in critics:
        score, maps = critic(real)
        loss = loss + (score - 1).pow(2).mean() + critic(made.detach())[0].pow(2).mean()
        wanted.append([m.detach() for m in maps])
    return loss / len(critics), wanted


def fooling_loss(critics, made, wanted):
    fool = match = 0
    for critic, real in zip(critics, wanted):
        score, maps = critic(made)
        fool = fool + (score - 1).pow(2).mean()
        match = match + sum(F.l1_loss(a, b) / b.abs().mean().clamp(min=1e-4) for a, b in zip(maps, real)) / len(maps)
    return fool / len(critics), match / len(critics)


def initial_decoder():
    """Starts from the fitted codebooks and the projection the tokenizer's probe learnt for semantic codes, if there is
    no checkpoint."""
    decoder = CodecDecoder(nano.CODEC["codec_config"])
    if os.path.exists(cache("codec_decoder.pt")):
        return decoder
    decoder.acoustic_quantizer.load_state_dict(torch.load(cache("acoustics.pt"), weights_only=False)["quantizer"])
    state = torch.load(cache("codec_tokenizer.pt"), map_location="cpu", weights_only=False)["modules"]
    codebook = state["encoder"]["semantic_tokenizer.kmeans.codebook"]
    with torch.no_grad():
        rows = codebook.T @ state["probe"]["semantic.weight"][:, :, 0].T + state["probe"]["semantic.bias"]
        decoder.semantic_dequantizer.dequant.weight.copy_(rows / rows.std())
    return decoder


@torch.no_grad()
def held_out(run, decoder, spectral, batch):
    """Log-mel L1 of the averaged decoder on sentences it never trains on."""
    codes, real, mask = batch
    with run.averaged():
        return float(spectral(decoder(codes) * mask, real * mask)[1])


@torch.no_grad()
def test(speech, decoder, spectral, count=120):
    """Prints the log-mel distance on sentences it never trains on, and for each period the roughest place over the
    mean: made, real, near periods."""
    rng, sounds = np.random.RandomState(0), []
    for _ in range(count // TESTED):
        codes, real, scored = speech.batch(rng, TESTED, speech.test)
        sounds.append((decoder(codes), real, scored))
    made, real, scored = (torch.cat(x) for x in zip(*sounds))
    print(f"log_mel {float(spectral(made * scored, real * scored)[1]):.3f} of {len(made)} pieces")
    peak = lambda x, period: float(roughness(x, scored, period).max())
    for period in PERIODS:
        near = ", ".join(f"{peak(made, p):.2f} at {p}" for p in (period - 1, period + 1))
        print(f"period {period}: made {peak(made, period):.2f}, the voice {peak(real, period):.2f}; made {near}")


def main():
    parser = arguments(__doc__, minutes=30, rate=1.5e-3)
    parser.add_argument("--adversary", action="store_true")
    parser.add_argument("--places", action="store_true", help="what is always rough at a place of a frame costs more")
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    speech, decoder, spectral = Speech(device), initial_decoder(), SpectralLoss().to(device)
    if args.test:
        decoder.load_state_dict(
            torch.load(cache("codec_decoder.pt"), map_location=device, weights_only=False)["modules"]["decoder"]
        )
        return test(speech, decoder.eval(), spectral)
    width, sizes = CRITICS[device]
    critics = nn.ModuleList(Critic(size, width) for size in sizes).to(device)
    judge = torch.optim.AdamW(critics.parameters(), lr=args.rate * 0.5, betas=(0.8, 0.99))
    places = Places().to(device)
    kept = {"critics": critics, "judge": judge, "places": places}
    run = Averaged("codec_decoder", args, {"decoder": decoder}, betas=(0.8, 0.99), kept=kept)
    tested, judged = speech.batch(np.random.RandomState(0), TESTED, speech.test), 0.0
    for _ in run:
        if run.turns():
            rng = np.random.RandomState(run.seed())
        if time.time() - judged > JUDGE_SECONDS:
            judged = time.time()
            run.show(test_log_mel=held_out(run, decoder, spectral, tested))
        codes, real, mask = speech.batch(rng, BATCH[device])
        made, real = decoder(codes) * mask, real * mask
        loss, log_mel = spectral(made, real)
        lattice = grid(made, real, mask)
        loss, shown = loss + GRID * lattice, {"log_mel": log_mel, "grid": lattice}
        if args.places:
            always = places(made, mask)
            loss, shown["always"] = loss + PLACES * always, always
        if args.adversary:
            piece, truth = window(made, real, rng)
            judgement, wanted = critic_loss(critics, piece, truth)
            judge.zero_grad(set_to_none=True)
            judgement.backward()
            judge.step()
            for p in critics.parameters():
                p.requires_grad = False
            fool, match = fooling_loss(critics, piece, wanted)
            loss = loss + min(1.0, run.progress() * 10) * (ADVERSARIAL * fool + MATCHING * match)
            shown.update(critic=judgement, fool=fool, match=match)
        run.update(loss, **shown)
        for p in critics.parameters():
            p.requires_grad = True


if __name__ == "__main__":
    main()
