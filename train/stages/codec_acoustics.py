"""Stage A, second half: the acoustic codes. Fitted in closed form, then taught to the waveform encoder.

What the semantic code leaves open of a frame (log mel energies and pitch, minus their mean over that code) is reduced
to 14 principal components, and the three residual stages are k-means on them. Training the stages through
straight-through gradients together with the waveform encoder needs far more steps and collapsed onto a handful of
codes. The quantiser searches by cosine distance; a constant eighth component, large against the other seven, makes that
search the Euclidean one.

python3 train/stages/codec_acoustics.py --fit                  (writes the codes of all answers)
python3 train/stages/codec_acoustics.py --encode               (writes the codes of answers made since, same codebooks)
python3 train/stages/codec_acoustics.py --minutes 15           (teaches the waveform encoder to give the same latents)
"""

import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data.encode import entropy_bits
from domain import corpus
from paths import cache
from reference.codec_encoder import CodecEncoder
from stages.codec_tokenizer import USUAL_PITCH, Answers
from stages.runner import Run, arguments, trained

GROUP, MEL_FRAMES = 7, 6
PITCH_WEIGHT = 30.0  # pitch is one number among 480 energies and must not drown
CONSTANT = 8.0  # times the root mean square of a stage's residual


def frame_pitch(f0, voiced):
    """Mean log pitch of each code frame, bridged over unvoiced frames; [3F] -> [F]."""
    values, sure = f0.reshape(-1, 3), voiced.reshape(-1, 3)
    mean = (values * sure).sum(1) / np.maximum(sure.sum(1), 1)
    known = np.flatnonzero(sure.sum(1) > 0)
    return np.interp(np.arange(len(mean)), known, mean[known]) if len(known) else np.full(len(mean), USUAL_PITCH)


@torch.no_grad()
def describe(encoder, answers, stats):
    """-> (semantic codes [N], frames [N, 481]) of all answers end to end."""
    semantic, frames = [], []
    for a, b in zip(answers.offsets, answers.offsets[1:]):
        features = encoder.features(torch.from_numpy(answers.samples[a:b])[None], stats)
        semantic.append(encoder.semantic_tokenizer.kmeans(encoder.semantic_tokenizer.model(features))[0].numpy())
        mel = F.pad(features.transpose(1, 2), (1, 1), mode="replicate")[0].T.reshape(-1, MEL_FRAMES * 80).numpy()
        tone = frame_pitch(answers.f0[a // 320 : b // 320], answers.voiced[a // 320 : b // 320])
        frames.append(np.concatenate((mel, (PITCH_WEIGHT * tone[:, None]).astype(np.float32)), 1))
    return np.concatenate(semantic), np.concatenate(frames)


def kmeans(x, k, rng, rounds=40):
    centres = x[rng.choice(len(x), k, replace=False)].copy()
    for _ in range(rounds):
        nearest = ((x[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        for j in range(k):
            mine = x[nearest == j]
            centres[j] = mine.mean(0) if len(mine) else x[rng.randint(len(x))]
    return centres


def components(semantic, frames):
    """-> (mean frame of each semantic code [256, 481], the directions [481, 14] that the rest of a frame is told
    by)."""
    count = np.bincount(semantic, minlength=256)[:, None]
    mean = np.zeros((256, frames.shape[1]))
    np.add.at(mean, semantic, frames)
    mean /= np.maximum(count, 1)
    rest = frames - mean[semantic]
    _, vectors = np.linalg.eigh(rest.T @ rest / len(rest))
    top = vectors[:, ::-1][:, : 2 * GROUP]
    told = 1 - ((rest - rest @ top @ top.T) ** 2).sum(0) / (rest**2).sum(0)
    print(
        f"14 components keep {np.median(told[:-1]):.2f} of a mel energy that the semantic code leaves, {told[-1]:.3f} of the pitch"
    )
    return mean, top


def latent_of(mean, top, scale, semantic, frames):
    """-> latent [N, 64]: components alternate between the two groups, each at the head of its half."""
    scores = (frames - mean[semantic]) @ top / scale
    latent = np.zeros((len(scores), 64), np.float32)
    latent[:, :GROUP], latent[:, 32 : 32 + GROUP] = scores[:, 0::2], scores[:, 1::2]
    return latent


@torch.no_grad()
def found_again(encoder, answers, stats):
    """The closed form behind a shipped encoder, whose directions are not shipped: fitted again; the waveform encoder,
    which was taught them, tells their signs. -> a function from (semantic, frames) of `describe` to latents, and both
    of `answers`."""
    semantic, frames = describe(encoder, answers, stats)
    later = set(corpus.later_segments())  # made after the directions were fitted
    first = np.repeat([str(text) not in later for text in answers.texts], np.diff(answers.offsets) // 960)
    mean, top = components(semantic[first], frames[first])
    made = np.concatenate(
        [
            encoder.encoder(torch.from_numpy(answers.samples[a:b])[None])[0].T.numpy()
            for a, b in zip(answers.offsets, answers.offsets[1:])
        ]
    )
    signs = np.sign((latent_of(mean, top, 1.0, semantic, frames) * made).sum(0))
    scale = float(((frames - mean[semantic]) @ top)[first].std(0).mean())
    return lambda semantic, frames: latent_of(mean, top, scale, semantic, frames) * signs, semantic, frames


@torch.no_grad()
def codes_of(encoder, semantic, latent):
    """-> codes [N, 4] of frames end to end."""
    acoustic = encoder.acoustic_quantizer.encode(torch.from_numpy(latent.astype(np.float32)).T[None])[0].numpy()
    return np.concatenate((semantic[:, None], acoustic), 1)


@torch.no_grad()
def write_codes(encoder, answers, semantic, latent):
    data = codes_of(encoder, semantic, latent)
    np.savez(cache("codes.npz"), data=data, offsets=answers.offsets // 960, texts=np.array(answers.texts))
    for j in range(4):
        print(f"codebook {j}: {len(np.unique(data[:, j]))} of 256 codes used, {entropy_bits(data[:, j], 256):.2f} bits")


@torch.no_grad()
def set_stage(stage, latent, rng):
    for half, project, back, book in (
        (0, stage.in_proj_a, stage.out_proj_a, stage.codebook_a),
        (32, stage.in_proj_b, stage.out_proj_b, stage.codebook_b),
    ):
        x = latent[:, half : half + GROUP]
        constant = CONSTANT * float(np.sqrt((x**2).sum(1).mean()))
        project.weight_v.zero_()
        project.weight_g.fill_(1)
        back.weight_v.zero_()
        back.weight_g.fill_(1)
        for i in range(GROUP):
            project.weight_v[i, half + i] = back.weight_v[i, i] = 1
        project.weight_v[GROUP, -1], project.weight_g[GROUP] = 1, 0
        back.weight_v[GROUP:, -1], back.weight_g[GROUP:] = 1, 0
        project.bias.zero_()
        project.bias[GROUP] = constant
        back.bias.zero_()
        book.weight.copy_(
            torch.from_numpy(np.pad(kmeans(x, stage.size, rng), ((0, 0), (0, 1)), constant_values=constant))
        )


def fit():
    torch.set_num_threads(1)
    answers, rng = Answers(), np.random.RandomState(1)
    encoder = trained("codec_tokenizer", "encoder", CodecEncoder(nano.CODEC["encoder"]))
    stats = np.load(cache("codec_cmvn.npz"))["stats"]
    semantic, frames = describe(encoder, answers, stats)
    mean, top = components(semantic, frames)
    scale = float(((frames - mean[semantic]) @ top).std(0).mean())
    latent = latent_of(mean, top, scale, semantic, frames)
    rest = latent.copy()
    for stage in encoder.acoustic_quantizer.quantizers:
        set_stage(stage, rest, rng)
        with torch.no_grad():
            a, b, _, _ = stage.search(torch.from_numpy(rest).T[None])
            rest = rest - stage.decode(stage.size * a + b)[0].T.numpy()
        print(f"after this stage {(rest**2).sum() / (latent**2).sum():.3f} of the latent is left")
    scores = np.stack((rest[:, :GROUP], rest[:, 32 : 32 + GROUP]), -1).reshape(len(rest), -1) * scale
    cents = 1200 * abs(scores @ top[-1]) / PITCH_WEIGHT
    print(
        f"pitch within {np.median(cents):.0f} cents of its components (median), {np.percentile(cents, 90):.0f} (nine of ten)"
    )
    torch.save(
        {
            "quantizer": encoder.acoustic_quantizer.state_dict(),
            "latent": torch.from_numpy(latent),
            "mean": mean,
            "top": top,
            "scale": scale,
        },
        cache("acoustics.pt"),
    )
    write_codes(encoder, answers, semantic, latent)


def encode():
    torch.set_num_threads(1)
    fitted, answers = torch.load(cache("acoustics.pt"), weights_only=False), Answers()
    encoder = trained("codec_tokenizer", "encoder", CodecEncoder(nano.CODEC["encoder"]))
    encoder.acoustic_quantizer.load_state_dict(fitted["quantizer"])
    semantic, frames = describe(encoder, answers, np.load(cache("codec_cmvn.npz"))["stats"])
    write_codes(encoder, answers, semantic, latent_of(fitted["mean"], fitted["top"], fitted["scale"], semantic, frames))


def main():
    parser = arguments(__doc__, minutes=15, rate=2e-3)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--encode", action="store_true")
    args = parser.parse_args()
    if args.fit or args.encode:
        return fit() if args.fit else encode()
    fitted = torch.load(cache("acoustics.pt"), weights_only=False)
    answers, encoder = Answers(), trained("codec_tokenizer", "encoder", CodecEncoder(nano.CODEC["encoder"]))
    encoder.acoustic_quantizer.load_state_dict(fitted["quantizer"])
    for p in [*encoder.semantic_tokenizer.parameters(), *encoder.acoustic_quantizer.parameters()]:
        p.requires_grad = False
    run = Run("codec_acoustics", args, {"encoder": encoder})
    rng = np.random.RandomState(run.step + args.seed)
    frames = 24
    for _ in run:
        crops = [answers.crop(i, frames, rng) for i in rng.choice(answers.train, 8)]
        crops = [c for c in crops if c[1] - c[0] == frames * 960]
        if not crops:
            continue
        samples = torch.from_numpy(np.stack([answers.samples[a:b] for a, b in crops]))
        wanted = torch.stack([fitted["latent"][a // 960 : b // 960] for a, b in crops]).transpose(1, 2)
        made = encoder.encoder(samples)
        with torch.no_grad():
            same = (
                (encoder.acoustic_quantizer.encode(made) == encoder.acoustic_quantizer.encode(wanted))
                .float()
                .mean((0, 1))
            )
        inner = slice(1, -1)  # the edge frames of a crop lack their neighbours
        run.update(
            F.mse_loss(made[..., inner], wanted[..., inner]) * 64 / 14, first=same[0], second=same[1], third=same[2]
        )


if __name__ == "__main__":
    main()
