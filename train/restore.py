"""Fills the training cache from a model directory, so that training goes on from shipped weights: python3
train/restore.py

Writes the checkpoints of the parts, their statistics, the tokenizer, and, unless the cache has them, the codes of all
answers, which needs answers.npz (`data/synthesise.py answers`). The directions of the closed-form acoustic latents are
not shipped: `found_again`.
"""

import argparse
import json
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import nano
from domain.tokenizer import with_tags
from paths import MODEL, cache
from reference import safetensors
from reference.codec_encoder import CodecEncoder
from stages.codec_acoustics import found_again, write_codes
from stages.codec_tokenizer import Answers


def checkpoint(stage, **modules):
    torch.save({"modules": modules, "optimiser": None, "step": 0, "minutes": 0.0, "random": None}, cache(f"{stage}.pt"))


@torch.no_grad()
def restore_codes(encoder):
    answers = Answers()
    closed_form, semantic, frames = found_again(encoder, answers, np.load(cache("codec_cmvn.npz"))["stats"])
    latent = rest = closed_form(semantic, frames)
    for stage in encoder.acoustic_quantizer.quantizers:
        a, b, _, _ = stage.search(torch.from_numpy(rest).T[None])
        rest = rest - stage.decode(stage.size * a + b)[0].T.numpy()
    print(
        f"the shipped quantiser leaves {(rest**2).sum() / (latent**2).sum():.3f} of the latent (about 0.05 when it was fitted)"
    )
    write_codes(encoder, answers, semantic, latent)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument(
        "--stage", default="shipped", help="name under which the language model and projectors are kept"
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    path = lambda name: os.path.join(args.model, name)
    part = lambda name: {k: v.float() for k, v in safetensors.load(path(name + ".safetensors"))[0].items()}

    for source, target in (
        ("audio/global_cmvn.json", "audio_cmvn.npz"),
        ("audio_codec/encoder_cmvn.json", "codec_cmvn.npz"),
    ):
        with open(path(source)) as file:
            np.savez(cache(target), stats=np.array(json.load(file)["stats"]))
    with open(path("tokenizer.json")) as old, open(cache("tokenizer.json"), "w") as file:
        json.dump(with_tags(json.load(old)), file, ensure_ascii=False)
    codec = part("audio_codec/encoder")
    checkpoint("audio_encoder", encoder=part("audio/audio_encoder"))
    checkpoint(
        "vision",
        vision=part("vision/vision_model"),
        probe=part("vision/object_head"),
        vision_projector=part("vision/vision_projector"),
    )
    checkpoint("codec_tokenizer", encoder=codec)
    checkpoint("codec_acoustics", encoder=codec)
    checkpoint("codec_decoder", decoder=part("audio_codec/decoder"))
    checkpoint(
        args.stage,
        lm=part("model"),
        audio=part("audio/audio_embeddings"),
        heads=part("audio/audio_output_layers"),
        projector=part("audio/audio_projector"),
        vision_projector=part("vision/vision_projector"),
    )
    if not os.path.exists(cache("codes.npz")):
        encoder = CodecEncoder(nano.CODEC["encoder"])
        encoder.load_state_dict(codec)
        restore_codes(encoder.eval())


if __name__ == "__main__":
    main()
