"""LongCat-ViT, its projector, the resize rule and token interpolation (spec 2)."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .language_model import RMSNorm


def rotate_2d(grid, width, base):
    """Angles [h*w, width]: rows then columns, tiled twice (rotate-half pairing)."""
    h, w = grid
    frequency = base ** (-torch.arange(0, width // 2, 2, dtype=torch.float32) / (width // 2))
    y = torch.arange(h).repeat_interleave(w)[:, None] * frequency
    x = torch.arange(w).repeat(h)[:, None] * frequency
    return torch.cat((y, x, y, x), 1)


def rotate_half(t, angle):
    a, b = t.chunk(2, -1)
    return t * angle.cos() + torch.cat((-b, a), -1) * angle.sin()


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, eps = c["hidden_size"], c["layer_norm_eps"]
        self.heads = c["num_attention_heads"]
        self.qkv = nn.Linear(d, 3 * d, bias=c.get("qkv_bias", False))
        self.proj = nn.Linear(d, d)
        self.q_norm, self.k_norm = RMSNorm(d, eps), RMSNorm(d, eps)

    def forward(self, x, angle):
        """The rotation comes before the norm, and the norm spans all heads together."""
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        merge = lambda t: t.transpose(1, 2).flatten(2)
        q, k, v = self.qkv(x).chunk(3, -1)
        q = split(self.q_norm(merge(rotate_half(split(q), angle))))
        k = split(self.k_norm(merge(rotate_half(split(k), angle))))
        weight = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)
        return self.proj(merge(weight @ split(v)))


class Mlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, inner = c["hidden_size"], int(c["intermediate_size"] * 2 / 3)
        self.fc1, self.fc3, self.fc2 = nn.Linear(d, inner), nn.Linear(d, inner), nn.Linear(inner, d)
        self.norm = RMSNorm(inner, c["layer_norm_eps"])

    def forward(self, x):
        return self.fc2(self.norm(F.silu(self.fc1(x)) * self.fc3(x)))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, eps = c["hidden_size"], c["layer_norm_eps"]
        self.norm1, self.norm2 = RMSNorm(d, eps), RMSNorm(d, eps)
        self.attn, self.mlp = Attention(c), Mlp(c)
        self.ls1, self.ls2 = nn.Parameter(torch.full((d,), 0.1)), nn.Parameter(torch.full((d,), 0.1))

    def forward(self, x, angle):
        x = x + self.ls1 * self.attn(self.norm1(x), angle)
        return x + self.ls2 * self.mlp(self.norm2(x))


class VisionModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        kernel = (c["temporal_patch_size"], c["patch_size"], c["patch_size"])
        self.embeddings = nn.Module()
        self.embeddings.patch_embedding = nn.Conv3d(c["num_channels"], c["hidden_size"], kernel, stride=kernel)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(Block(c) for _ in range(c["num_hidden_layers"]))
        self.width, self.base = c["hidden_size"] // c["num_attention_heads"], c["rope_theta"]

    def forward(self, pixels):
        """Normalised pixels [B, 2, 3, h, w], one unit each -> ([B, h/14 * w/14, d], grid of patches)."""
        x = self.embeddings.patch_embedding(pixels.transpose(1, 2))[:, :, 0]
        grid = x.shape[-2:]
        x = x.flatten(2).transpose(1, 2)
        angle = rotate_2d(grid, self.width, self.base).to(x.device)
        for layer in self.encoder.layers:
            x = layer(x, angle)
        return x, tuple(grid)


class VisionProjector(nn.Module):
    """Merges horizontal neighbours, then LayerNorm and three linears."""

    def __init__(self, c):
        super().__init__()
        d, inner = 2 * c["hidden_size"], c["adaptor_dim"]
        self.p0 = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, inner), nn.GELU(), nn.Linear(inner, inner), nn.GELU())
        self.proj = nn.Linear(inner, c["proj_output_dim"])

    def forward(self, x):
        return self.proj(self.p0(x.reshape(x.shape[0], x.shape[1] // 2, -1)))


def resize_target(height, width, factor, min_pixels, max_pixels):
    """The picture size the encoder sees, step by step as spec 2.2 lists it."""
    if height < factor:
        ratio = factor / height
        height, width = factor, int(ratio * width) + 1
    if width < factor:
        ratio = factor / width
        height, width = int(ratio * height) + 1, factor
    h, w = round(height / factor) * factor, round(width / factor) * factor
    if h * w > max_pixels:
        beta = math.sqrt(height * width / max_pixels)
        h, w = math.floor(height / beta / factor) * factor, math.floor(width / beta / factor) * factor
    elif h * w < min_pixels:
        beta = math.sqrt(min_pixels / (height * width))
        h, w = math.ceil(height * beta / factor) * factor, math.ceil(width * beta / factor) * factor
    if h < factor:
        h, w = factor, max_pixels // factor
    if w < factor:
        h, w = max_pixels // factor, factor
    return h // 14 * 14, w // 28 * 28


def pixels_of(images, size, config):
    """Pillow RGB images of one unit (one still or a pair) -> [2, 3, h, w], bicubic and normalised."""
    from PIL import Image

    frames = []
    for image in images if len(images) == 2 else images * 2:
        resized = image.convert("RGB").resize((size[1], size[0]), Image.BICUBIC)
        frames.append(torch.from_numpy(np.asarray(resized).copy()).permute(2, 0, 1).float() / 255)
    mean, std = torch.tensor(config["image_mean"]), torch.tensor(config["image_std"])
    return (torch.stack(frames) - mean[:, None, None]) / std[:, None, None]


def interpolate(tokens, grid, target):
    """Projected tokens [h*w, d] on `grid` -> [th*tw, d], bilinear with half-pixel centres (spec 2.8)."""
    maps = tokens.T.reshape(1, -1, *grid)
    return F.interpolate(maps, size=target, mode="bilinear", align_corners=False)[0].flatten(1).T
