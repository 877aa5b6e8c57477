"""Stage 3 and 5: pictures. Frozen vision encoder -> projector -> language model; questions are written or heard.

Everything learnt before stays in the mixture, so this is also the polishing stage: run it last, as often as time allows.

python3 train/stages/see.py --minutes 20      python3 train/stages/see.py --test
"""
import glob
import os
import random
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from data.encode import Codes
from data.layout import Layout, Sequence, batches, collate
from domain import scenes
from domain.corpus import heard_words
from paths import cache
from reference import omni
from reference.audio_encoder import AudioEncoder, projector
from reference.vision import VisionModel, VisionProjector
from stages import audio_encoder as ear
from stages import language, listen, vision
from stages.runner import Run, arguments, trained
from stages.speech import replies, spoken, step_losses, summary
from stages.text import BUDGET, Questions, typed, written

SHARES = {"seen": 0.4, "heard": 0.35, "spoken": 0.15, "written": 0.1}
QUESTION_HEARD = 0.6
MOTION = {"none": None}


@torch.no_grad()
def look(model, rng):
    """One rendered unit: -> (neighbouring patches side by side [tokens, 2 d], scene, motion, one thing only)."""
    pixels, scene, motion, _ = vision.unit(rng)
    patches = model(pixels[None])[0][0]
    return patches.reshape(len(patches) // 2, -1), scene, motion, len(scene) == 1


def ask(scene, motion, single, rng):
    choices = list(scenes.questions(scene, rng))
    if single:
        choices += 2 * list(scenes.motion_questions(scene[0][1], MOTION.get(motion, motion), rng))
    _, question, answer = rng.choice(choices)
    return question, answer


def project(parts, group):
    """Image tokens and encoder vectors of a group of sequences, each through its projector, in reading order."""
    rows = [f for s in group for f in s.features]
    out = [None] * len(rows)
    for heard_by, run in (("audio", parts["projector"]), ("image", parts["vision_projector"])):
        at = [i for i, f in enumerate(rows) if (f.shape[1] == nano.AUDIO["hidden_size"]) == (heard_by == "audio")]
        if at:
            stacked = torch.cat([rows[i] for i in at])
            done = run(stacked) if heard_by == "audio" else run.proj(run.p0(stacked))
            for i, part in zip(at, done.split([len(rows[i]) for i in at])):
                out[i] = part
    return torch.cat(out) if out else None


class Mixture:
    """Draws training sequences of every kind."""

    def __init__(self, layout, codes, parts, encoder, stats, seed, recorded, units):
        self.layout, self.codes, self.facts, self.rng = layout, codes, Questions(), random.Random(seed)
        noise = np.random.RandomState(seed)
        questions = ear.Questions(sorted(glob.glob(cache("questions-*.npz"))))
        known = listen.answers_by_question()
        facts = [k for k in noise.permutation(len(questions)) if listen.usable(known, codes, questions.texts[k], self.rng)]
        facts = facts[:recorded]
        asked = [k for k in noise.permutation(len(questions)) if questions.texts[k] not in known][:recorded // 2]
        self.recorded = listen.listen(encoder, questions, facts, stats, noise)
        self.answers = [known[questions.texts[k]].answer for k in facts]
        self.voices = {}
        for k, hidden in zip(asked, listen.listen(encoder, questions, asked, stats, noise)):
            self.voices.setdefault(str(questions.texts[k]), []).append(hidden)
        self.units = [look(parts["vision"], self.rng) for _ in range(units)]

    def seen(self):
        while True:
            tokens, scene, motion, single = self.rng.choice(self.units)
            question, answer = ask(scene, motion, single, self.rng)
            if all(s in self.codes.at for s in answer):
                break
        sequence = Sequence()
        voices = self.voices.get(question)
        if voices and self.rng.random() < QUESTION_HEARD:
            self.layout.user_audio(sequence, self.rng.choice(voices), [(0.0, tokens)])
        else:
            sequence.add_text(self.layout.encode("USER:"))
            self.layout.images(sequence, [(0.0, tokens)])
            sequence.add_text(self.layout.encode(typed(question, self.rng)) + self.layout.encode("\n"))
        self.layout.spoken_reply(sequence, answer, self.codes)
        return sequence

    def draw(self):
        kind = self.rng.choices(list(SHARES), list(SHARES.values()))[0]
        if kind == "seen":
            return self.seen()
        if kind == "heard":
            i = self.rng.randrange(len(self.recorded))
            return listen.heard(self.layout, self.recorded[i], self.answers[i], self.codes)
        if kind == "spoken":
            return spoken(self.layout, self.facts, self.codes, self.rng)
        return written(self.layout, self.facts, self.rng)


@torch.no_grad()
def test(parts, layout, codes, count=20):
    """Written questions about scenes never rendered in training."""
    rng, prompts = random.Random(424242), []
    while len(prompts) < count:
        tokens, scene, motion, single = look(parts["vision"], rng)
        question, answer = ask(scene, motion, single, rng)
        if not all(s in codes.at for s in answer):
            continue
        sequence = Sequence()
        sequence.add_text(layout.encode("USER:"))
        layout.images(sequence, [(0.0, tokens)])
        sequence.add_text(layout.encode(question) + layout.encode("\n") + layout.encode("VOICE ASSISTANT:"))
        batch = collate([sequence])
        x = omni.embed(parts["lm"].model.embed_tokens, parts["audio"], batch["text"], batch["codes"], project(parts, [sequence]))
        prompts.append(((question, answer), x))
    print("seen:", summary(replies(parts, layout, prompts, codes)), flush=True)


def main():
    parser = arguments(__doc__, minutes=20, rate=1e-3)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--recorded", type=int, default=listen.RECORDED, help="questions encoded once for this piece")
    parser.add_argument("--units", type=int, default=1500, help="scenes rendered and encoded once for this piece")
    args = parser.parse_args()
    stats, words = np.load(cache("audio_cmvn.npz"))["stats"], heard_words()
    encoder = trained("audio_encoder", "encoder", AudioEncoder(nano.audio_config(words)))
    layout, codes = Layout(language.tokenizer()), Codes()
    parts = {**language.modules(), "projector": projector(nano.AUDIO), "vision_projector": VisionProjector(nano.VISION)}
    language.start_from("listen", parts)
    run = Run("see", args, parts)
    parts = {**parts, "vision": trained("vision", "vision", VisionModel(nano.VISION))}
    if not args.test:
        mixture = Mixture(layout, codes, parts, encoder, stats, run.step + args.seed, args.recorded, args.units)
        for _, group in zip(run, batches(mixture.draw, mixture.rng, BUDGET)):
            batch, shown = collate(group), {}
            hidden = language.hidden_states(parts, batch, project(parts, group))
            run.update(step_losses(parts, batch, hidden, shown), **shown)
            run.show(identity=language.control_experts(parts["lm"], run.progress()))
    test(parts, layout, codes)
    for name in ("seen", "unseen", "awb"):
        listen.test(parts, layout, codes, encoder, stats, name)


if __name__ == "__main__":
    main()
