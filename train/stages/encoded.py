"""Real senses for the language-model stages: frozen encoders over recorded questions and rendered scenes."""
import glob
import os
import random

import numpy as np
import torch
import torch.nn.functional as F

import nano
from data import augment as room
from data.synthesise import energies
from domain import render
from domain.conversation import random_view
from domain.corpus import heard_words
from paths import cache
from reference.audio_encoder import AudioEncoder
from reference.vision import VisionModel, pixels_of
from stages import audio_encoder as ear
from stages.perception import SIZE, Feature, Imagined
from stages.runner import trained

RECORDED = 14000  # questions encoded once per piece; the encoder is frozen
NOISES = 200
ASKED_BEFORE_LOOKING = 500
HEARD_FRAMES, SEEN_UNITS = 512, 12  # of one look at the projectors
VIEWS, FRESH = 500, 0.2  # scenes kept; how many of the draws render a new one
STILL_BEFORE = 0.3  # of moving scenes: the unit before the turn was a still frame


@torch.no_grad()
def encode(encoder, items, stats):
    """Filter banks -> encoder outputs [n, hidden] each."""
    out = []
    for i in range(0, len(items), ear.BATCH):
        inputs, valid, lengths = ear.batch_of(items[i:i + ear.BATCH], stats)
        hidden = encoder(inputs, valid)
        out += [hidden[row, :n].clone() for row, n in enumerate(lengths.tolist())]
    return out


def noise(rng):
    """Something that is not speech: hiss, hum, clicks, near silence."""
    n = int(16000 * rng.uniform(0.4, 2))
    x = rng.normal(size=n) * 10 ** rng.uniform(-4, -1)
    if rng.uniform() < 0.3:
        x = x * 0.1 + np.sin(np.arange(n) * rng.uniform(0.02, 0.6)) * 10 ** rng.uniform(-3, -0.7)
    if rng.uniform() < 0.3:
        x[rng.integers(0, n, 5)] += rng.uniform(-1, 1, 5)
    shape = np.interp(np.arange(n), np.linspace(0, n, 6), rng.uniform(0, 1, 6))
    return torch.from_numpy(energies(room.surround((x * shape).clip(-1, 1), rng)).astype(np.float32))


class Encoded(Imagined):
    """Encoders where there are recordings and pictures, imagination for the rest."""

    def __init__(self, vocabulary, seed, hears=True, sees=True, files="questions-*.npz", recorded=RECORDED, clean=False, views=VIEWS):
        super().__init__(vocabulary)
        self.recorded, self.eye = {}, None
        if hears:
            self.source, self.asked = (random.Random(seed), np.random.default_rng(seed), sorted(glob.glob(cache(files))), clean), 0
            self.record(recorded)
        if sees:
            self.eye = trained("vision", "vision", VisionModel(nano.VISION))
            self.pool, self.next = [self.view(random.Random(seed * 10007 + i)) for i in range(views)], 0

    def record(self, count):
        """Encodes recordings with the newest encoder in place of those before."""
        rng, numbers, files, clean = self.source
        self.made = os.path.getmtime(cache("audio_encoder.pt"))
        self.encoder = trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(heard_words())))
        stats, questions = np.load(cache("audio_cmvn.npz"))["stats"], ear.Questions(files)
        picks = rng.sample(range(len(questions)), min(count, len(questions)))
        warp = np.random.RandomState(rng.randrange(1 << 30))
        items = [questions[k] if clean else ear.augment(questions[k], warp) for k in picks]
        self.recorded = {"": encode(self.encoder, [noise(numbers) for _ in range(NOISES)], stats)}
        for k, hidden in zip(picks, encode(self.encoder, items, stats)):
            self.recorded.setdefault(str(questions.texts[k]), []).append(hidden)
        self.frames = torch.cat([take for takes in self.recorded.values() for take in takes])

    def voice(self, question, rng):
        if not self.recorded:
            return super().voice(question, rng)
        self.asked += 1
        if self.asked % ASKED_BEFORE_LOOKING == 0 and os.path.getmtime(cache("audio_encoder.pt")) != self.made:
            self.record(RECORDED // 2)  # the encoder is still being trained elsewhere: follow it
        takes = self.recorded.get(question)
        return Feature("ear", rng.choice(takes)) if takes else super().voice(question, rng)

    @torch.no_grad()
    def look(self, scene, places, motion, rng):
        ground = render.backdrop(rng)
        images = [render.frame(scene, places, rng, ground)]
        if motion or rng.random() < 0.5:
            places = render.shift(places, motion or "none", rng.uniform(12, 30))
            images.append(render.frame(scene, places, rng, ground))
        patches = self.eye(pixels_of(images, SIZE, nano.VISION)[None])[0][0]
        return Feature("eye", patches.reshape(len(patches) // 2, -1))

    def view(self, rng, scene_and_motion=None):
        """-> (scene, motion, unit, still unit, patch labels)."""
        scene, motion = scene_and_motion or random_view(rng)
        places = [render.place(item, rng) for item in scene]
        unit = self.look(scene, places, motion, rng)
        labels = torch.from_numpy(render.patch_labels(render.masks(scene, places, (SIZE[1], SIZE[0])))).long().view(-1, 2)
        return scene, motion, unit, self.look(scene, places, None, rng) if motion else unit, labels

    def scene(self, rng):
        if self.eye is None:
            return super().scene(rng)
        if rng.random() < FRESH:
            self.pool[self.next] = self.view(rng)
            self.next = (self.next + 1) % len(self.pool)
        return rng.choice(self.pool)[:2]

    def units(self, scene, motion, rng, count=1):
        if self.eye is None:
            return super().units(scene, motion, rng, count)
        views = [v for v in self.pool if v[:2] == (scene, motion)] or [self.view(rng, (scene, motion))]
        _, _, unit, still, _ = rng.choice(views)
        return [still if i == 0 and count > 1 and rng.random() < STILL_BEFORE else unit for i in range(count)]


def distance_to_imagined(parts, senses, rng, heard=HEARD_FRAMES, seen=SEEN_UNITS):
    """How far the projectors are from the vectors of the words heard and the shapes seen, squared, summed over a vector."""
    tables = {name: senses.vocabulary.vectors(parts["lm"], name).detach() for name in senses.vocabulary.tables}
    loss = 0
    if senses.recorded:
        hidden = senses.frames[torch.randint(len(senses.frames), (heard,))]
        wanted = senses.encoder.output(hidden).softmax(-1).detach() @ tables["words"]
        loss = loss + F.mse_loss(parts["projector"](hidden), wanted) * nano.HIDDEN
    if senses.eye is not None:
        loss = loss + distance_of_pictures(parts, rng.sample(senses.pool, seen), tables)
    return loss


def distance_of_pictures(parts, views, tables):
    seen, wanted = [], []
    for _, motion, unit, _, labels in views:
        way = render.MOTIONS.index(motion or "none") * (labels > 0).any(1)
        seen.append(unit.data)
        wanted.append(tables["patches"][labels].mean(1) + tables["motion"][way.long()])
    module = parts["vision_projector"]
    return F.mse_loss(module.proj(module.p0(torch.cat(seen))), torch.cat(wanted)) * nano.HIDDEN
