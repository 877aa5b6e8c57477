"""Vision fixtures: PNG frames -> resized pixels -> ViT -> projector -> interpolated tokens."""

import os

import numpy as np
import torch
from PIL import Image

from reference.vision import VisionModel, VisionProjector, interpolate, pixels_of, resize_target
from .common import randomise, state, write_json, write_tensors

CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 36,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "num_channels": 3,
    "layer_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "qk_normalization": True,
    "qkv_bias": False,
    "patch_embedding_bias": True,
    "adaptor_dim": 20,
    "proj_output_dim": 12,
    "resize_factor": 2,
    "spatial_merge_size": 1,
    "min_tokens": 8,
    "max_tokens": 24,
    "min_tokens_video_vit": 8,
    "max_tokens_video_vit": 24,
    "min_tokens_video": 4,
    "max_tokens_video": 12,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def cases():
    return {
        "still": lambda folder: write(folder, [picture(70, 44, 0)], seed=51),
        "pair": lambda folder: write(folder, [picture(90, 61, 1), picture(90, 61, 2)], seed=52),
        "enlarged-tall": lambda folder: write(folder, [picture(23, 40, 3)], seed=53),
    }


def picture(width, height, seed):
    """A gradient with a disc and a little noise, so that resampling has edges to get wrong."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.RandomState(seed).randint(0, 40, (height, width, 3))
    base = np.stack((x * 200 / width, y * 200 / height, 100 + 60 * np.sin(x / 5 + seed)), -1) + noise
    base[(x - width * (0.3 + 0.1 * seed)) ** 2 + (y - height * 0.5) ** 2 < (height * 0.3) ** 2] = (240, 30, 20)
    return Image.fromarray(base.clip(0, 255).astype(np.uint8))


@torch.no_grad()
def write(folder, images, seed):
    c = CONFIG
    model, projector = VisionModel(c).eval(), VisionProjector(c).eval()
    randomise(model, seed, gain=1.2)
    randomise(projector, seed + 1, gain=1.5)
    factor = c["patch_size"] * c["spatial_merge_size"] * c["resize_factor"]
    width, height = images[0].size
    size = resize_target(height, width, factor, c["min_tokens"] * 196, c["max_tokens"] * 196)
    pixels = pixels_of(images, size, c)
    patches, grid = model(pixels[None])
    tokens = projector(patches)[0]
    merged, target = (grid[0], grid[1] // 2), (grid[0] - 1, max(1, grid[1] // 2 - 1))
    write_json(folder, "vision/config.json", c)
    write_tensors(folder, "vision/vision_model.safetensors", state(model))
    write_tensors(folder, "vision/vision_projector.safetensors", state(projector))
    tensors = {
        "output.grid": torch.tensor(grid).int(),
        "output.vision": patches[0],
        "output.projector": tokens,
        "output.interpolated_grid": torch.tensor(target).int(),
        "output.interpolated": interpolate(tokens, merged, target),
    }
    for i, image in enumerate(images):
        image.save(os.path.join(folder, f"frame-{i}.png"))
        tensors[f"input.rgb.{i}"] = torch.from_numpy(np.asarray(image).copy())
        resized = image.resize((size[1], size[0]), Image.BICUBIC)
        tensors[f"output.resized.{i}"] = torch.from_numpy(np.asarray(resized).copy())
    write_tensors(folder, "case.safetensors", tensors)
