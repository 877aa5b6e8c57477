"""Decoder fixtures: codes -> frames -> LSTM outputs -> samples, whole utterances; streaming must give the same."""

import torch

from reference.codec import CodecDecoder
from .codec import CONFIG, quieten
from .common import randomise, state, write_json, write_tensors


def cases():
    return {
        "nine-frames": lambda folder: write(folder, 9, seed=31),
        "two-frames": lambda folder: write(folder, 2, seed=32),
    }


@torch.no_grad()
def write(folder, frames, seed):
    c = CONFIG["codec_config"]
    decoder = CodecDecoder(c).eval()
    randomise(decoder, seed)
    quieten(decoder, 0.65)
    generator = torch.Generator().manual_seed(seed)
    codes = torch.stack(
        [
            torch.randint(0, n, (frames,), generator=generator)
            for n in [c["semantic_token_nums"]] + [c["codec_codebook_size"] ** 2] * 3
        ],
        1,
    )
    inputs = decoder.frames(codes[None])
    write_json(folder, "audio_codec/config.json", CONFIG)
    write_tensors(folder, "audio_codec/decoder.safetensors", state(decoder))
    write_tensors(
        folder,
        "case.safetensors",
        {
            "input.codes": codes.int(),
            "output.frames": inputs[0],
            "output.memory": decoder.decoder.mem_layers[0](inputs)[0],
            "output.samples": decoder(codes[None])[0],
        },
    )
