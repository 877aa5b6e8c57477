"""LongCat-Audio-Codec, encoding side: semantic encoder with k-means codes and acoustic encoder (spec 4.2, 4.3, 4.7)."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .codec import AcousticQuantizer, Snake, conv
from .fbank import cmvn, fbank


class ResidualUnit(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.block = nn.Sequential(
            Snake(channels),
            conv(channels, channels, 7, dilation=dilation, padding=3 * dilation),
            Snake(channels),
            conv(channels, channels, 1),
        )

    def forward(self, x):
        return x + self.block(x)


class EncoderBlock(nn.Module):
    def __init__(self, channels, stride):
        super().__init__()
        down = conv(channels, 2 * channels, 2 * stride, stride=stride, padding=math.ceil(stride / 2))
        self.block = nn.Sequential(*(ResidualUnit(channels, d) for d in (1, 3, 9)), Snake(channels), down)

    def forward(self, x):
        return self.block(x)


class AcousticEncoder(nn.Module):
    def __init__(self, channels, strides, latent):
        super().__init__()
        blocks = [EncoderBlock(channels << i, stride) for i, stride in enumerate(strides)]
        last = channels << len(strides)
        self.block = nn.Sequential(
            conv(1, channels, 7, padding=3), *blocks, Snake(last), conv(last, latent, 3, padding=1)
        )

    def forward(self, samples):
        """[B, N] -> [B, latent, N / prod(strides)]."""
        return self.block(samples[:, None])


class Subsampling(nn.Module):
    """Two 3x3 convolutions: time strides 2 and 3 with two zeros before, frequency unpadded (spec 4.2)."""

    CHANNELS = 32

    def __init__(self, bins, strides, width):
        super().__init__()
        self.strides = strides
        self.conv = nn.Module()
        for i, stride in enumerate(strides):
            layer = nn.Conv2d(1 if i == 0 else self.CHANNELS, self.CHANNELS, 3, stride=(stride, 1))
            self.conv.add_module(f"subsampling/conv{i}", layer)
        self.affine = nn.Linear(self.CHANNELS * (bins - 2 * len(strides)), width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        x = x[:, None]
        for i in range(len(self.strides)):
            x = F.relu(getattr(self.conv, f"subsampling/conv{i}")(F.pad(x, (0, 0, 2, 0))))
        x = self.norm(self.affine(x.transpose(1, 2).flatten(2)))
        return x * math.sqrt(x.shape[-1]) + sinusoids(x.shape[1], x.shape[2]).to(x.device)


def sinusoids(length, width):
    angle = torch.arange(length)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1)


class SemanticLayer(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x, padding=None):
        u = self.norm1(x)
        x = x + self.self_attn(u, u, u, key_padding_mask=padding, need_weights=False)[0]
        return self.norm3(x + self.linear2(F.gelu(self.linear1(self.norm2(x)))))


class SemanticModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        strides = [int(s) for s in c["conv2d_stride"].split(",")]
        self.subsampling = Subsampling(c["feat_dim"], strides, c["d_model"])
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(
            SemanticLayer(c["d_model"], c["nhead"], c["dim_feedforward"]) for _ in range(c["num_encoder_layers"])
        )

    def forward(self, features, padding=None):
        """Normalised filter bank [B, T, 80] -> [B, frames, d_model] after the last layer."""
        x = self.subsampling(features)
        for layer in self.encoder.layers:
            x = layer(x, padding)
        return x


class Kmeans(nn.Module):
    def __init__(self, width, entries):
        super().__init__()
        self.codebook = nn.Parameter(torch.randn(width, entries))

    def forward(self, x):
        x = F.normalize(x, dim=-1)
        return (self.codebook.pow(2).sum(0) - 2 * x @ self.codebook).argmin(-1)


class SemanticTokenizer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.model = SemanticModel(c["semantic_tokenizer"]["encoder"]["VGGtf_encoder"])
        tokens = c["semantic_tokenizer_config"]
        self.kmeans = Kmeans(tokens["codebook_dim"], tokens["codebook_size"])


class CodecEncoder(nn.Module):
    """`c` is the `encoder` section of audio_codec/config.json."""

    SCALE = 32767

    def __init__(self, c):
        super().__init__()
        codec = c["codec_config"]
        self.encoder = AcousticEncoder(codec["encoder_dim"], codec["codec_enc_ratios"], codec["codec_dimension"])
        self.acoustic_quantizer = AcousticQuantizer(codec)
        self.semantic_tokenizer = SemanticTokenizer(c)
        self.fbank_config = c["semantic_tokenizer"]["feature"]["fbank"]
        self.frame = math.prod(codec["codec_enc_ratios"])

    def pad(self, samples):
        return F.pad(samples, (0, -samples.shape[-1] % self.frame))

    def features(self, samples, stats):
        return cmvn(fbank(self.pad(samples), self.SCALE, self.fbank_config), stats)

    @torch.no_grad()
    def forward(self, samples, stats):
        """[B, N] at 16 kHz -> codes [B, ceil(N / 960), 4]."""
        semantic = self.semantic_tokenizer.kmeans(self.semantic_tokenizer.model(self.features(samples, stats)))
        acoustic = self.acoustic_quantizer.encode(self.encoder(self.pad(samples)))
        return torch.cat((semantic[..., None], acoustic), -1)
