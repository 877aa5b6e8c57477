"""LongCat-Audio-Codec: AGRVQ quantiser and the 24 kHz streaming decoder (spec 4.4, 4.5, 4.7)."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import weight_norm


def conv(c_in, c_out, kernel, **options):
    return weight_norm(nn.Conv1d(c_in, c_out, kernel, **options))


class SnakeFunction(torch.autograd.Function):
    """x + sin(alpha x)^2 / alpha with a written gradient: the decoder spends half of its time here otherwise."""

    @staticmethod
    def forward(ctx, x, alpha):
        ctx.save_for_backward(x, alpha)
        return (x * alpha).sin_().square_().div_(alpha + 1e-9).add_(x)

    @staticmethod
    def backward(ctx, gradient):
        x, alpha = ctx.saved_tensors
        angle = x * alpha
        slope = (2 * angle).sin_().mul_(gradient)
        by_alpha = None
        if ctx.needs_input_grad[1]:
            total = lambda t: t.sum((0, 2), keepdim=True)
            by_alpha = total(slope * x) / alpha - total(angle.sin_().square_().mul_(gradient)) / (alpha + 1e-9) ** 2
        return slope.add_(gradient), by_alpha


class Snake(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x):
        return SnakeFunction.apply(x, self.alpha)


class LeftPad(nn.Module):
    """Zeros before the first sample; a module of its own because the official numbering counts it."""

    def __init__(self, samples):
        super().__init__()
        self.samples = samples

    def forward(self, x):
        return F.pad(x, (self.samples, 0))


class CausalUnit(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.block = nn.Sequential(
            Snake(channels),
            LeftPad(6 * dilation),
            conv(channels, channels, 7, dilation=dilation),
            Snake(channels),
            conv(channels, channels, 1),
        )

    def forward(self, x):
        return x + self.block(x)


class DecoderBlock(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        up = weight_norm(nn.ConvTranspose1d(c_in, c_out, stride, stride=stride))
        self.block = nn.Sequential(Snake(c_in), up, *(CausalUnit(c_out, dilation) for dilation in (1, 3, 9)))

    def forward(self, x):
        return self.block(x)


class MemoryLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.lstm_list1 = nn.ModuleList([nn.LSTM(width, width, batch_first=True)])
        self.lstm_list2 = nn.ModuleList([nn.LSTM(width, width, batch_first=True)])
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        x = self.ln1(self.lstm_list1[0](x)[0])
        return self.ln2(self.lstm_list2[0](x)[0])


class WaveDecoder(nn.Module):
    def __init__(self, width, channels, strides):
        super().__init__()
        self.mem_layers = nn.ModuleList([MemoryLayer(width)])
        blocks = [DecoderBlock(channels >> i, channels >> (i + 1), stride) for i, stride in enumerate(strides)]
        last = channels >> len(strides)
        self.model = nn.Sequential(
            conv(width, channels, 7, padding=3), *blocks, Snake(last), LeftPad(6), conv(last, 1, 7), nn.Tanh()
        )

    def forward(self, frames):
        """[B, T, width] -> [B, T * prod(strides)]."""
        return self.model(self.mem_layers[0](frames).transpose(1, 2))[:, 0]


class AutoGroupStage(nn.Module):
    """One residual stage: the latent is looked up in two small codebooks by cosine distance."""

    def __init__(self, latent, size, search):
        super().__init__()
        self.size = size
        self.in_proj_a, self.in_proj_b = conv(latent, search, 1), conv(latent, search, 1)
        self.out_proj_a, self.out_proj_b = conv(search, latent // 2, 1), conv(search, latent // 2, 1)
        self.codebook_a, self.codebook_b = nn.Embedding(size, search), nn.Embedding(size, search)

    def search(self, latent):
        """latent [B, C, T] -> (indices a, b [B, T], projections u, v [B, T, search])."""
        u, v = self.in_proj_a(latent).transpose(1, 2), self.in_proj_b(latent).transpose(1, 2)
        return nearest(u, self.codebook_a.weight), nearest(v, self.codebook_b.weight), u, v

    def expand(self, a, b):
        """Rows [B, T, search] of both codebooks -> [B, C, T]."""
        return torch.cat((self.out_proj_a(a.transpose(1, 2)), self.out_proj_b(b.transpose(1, 2))), 1)

    def decode(self, codes):
        return self.expand(
            self.codebook_a(torch.div(codes, self.size, rounding_mode="floor")), self.codebook_b(codes % self.size)
        )


def nearest(x, codebook):
    return (F.normalize(x, dim=-1) @ F.normalize(codebook, dim=-1).T).argmax(-1)


class AcousticQuantizer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.quantizers = nn.ModuleList(
            AutoGroupStage(c["codec_dimension"], c["codec_codebook_size"], c["codec_codebook_search_dim"])
            for _ in range(c["codec_codebooks"])
        )

    def encode(self, latent):
        """[B, C, T] -> codes [B, T, stages]."""
        codes = []
        for stage in self.quantizers:
            a, b, _, _ = stage.search(latent)
            codes.append(stage.size * a + b)
            latent = latent - stage.decode(codes[-1])
        return torch.stack(codes, -1)

    def decode(self, codes):
        return sum(stage.decode(codes[..., j]) for j, stage in enumerate(self.quantizers))


class Dequantizer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dequant = nn.Embedding(c["semantic_token_nums"], c["semantic_dim"])


class CodecDecoder(nn.Module):
    """`c` is `codec_config` of audio_codec/config.json. Code values are without the id offset."""

    def __init__(self, c):
        super().__init__()
        self.semantic_dequantizer = Dequantizer(c)
        self.acoustic_quantizer = AcousticQuantizer(c)
        self.decoder = WaveDecoder(c["semantic_dim"] + c["codec_dimension"], c["decoder_dim"], c["codec_dec_ratios"])
        self.samples_per_frame = math.prod(c["codec_dec_ratios"])

    def frames(self, codes):
        """[B, T, 4] -> [B, T, semantic + latent]; semantic first."""
        semantic = self.semantic_dequantizer.dequant(codes[..., 0])
        return torch.cat((semantic, self.acoustic_quantizer.decode(codes[..., 1:]).transpose(1, 2)), -1)

    def forward(self, codes):
        return self.decoder(self.frames(codes))
