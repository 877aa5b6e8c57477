"""Writes four parts of a model as ONNX graphs from the PyTorch reference, for `npm run bench -- kernels`, which runs
them in ONNX Runtime beside our engine: python3 train/onnx_export.py [--model models/nano] [--to .cache/onnx]

Every graph is one step as a live session takes it, with its state as further inputs and outputs:
  fsmn.onnx     one audio vector (80 ms) through the FSMN encoder and its projector
  vit.onnx      one 112 x 112 picture, all that nano lets through, through the vision transformer and its projector
  codec.onnx    one code frame (60 ms) through the speech decoder, codes to samples; codec.json: its states' shapes
  layer-decode.onnx, layer-prefill.onnx    one ScMoE layer without its mixture: a row behind 100 others, 64 rows at once
"""

import argparse
import json
import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from paths import MODEL, ROOT
from reference import safetensors
from reference.audio_encoder import AudioEncoder, projector
from reference.codec import CodecDecoder
from reference.language_model import Layer
from reference.vision import VisionModel, VisionProjector

CONTEXT, PREFILL = 100, 64
# The exporter of PyTorch 1.13 knows no unflatten; on the last axis a reshape is the same.
torch.Tensor.unflatten = lambda t, _, sizes: t.reshape(*t.shape[:-1], *sizes)


def tensors(*path):
    return {k: v.float() if v.is_floating_point() else v for k, v in safetensors.load(os.path.join(*path))[0].items()}


def config(*path):
    with open(os.path.join(*path)) as file:
        return json.load(file)


def remembered(state, x):
    """The history of a causal convolution and its next rows [B, C, T] -> (both, the next history)."""
    joined = torch.cat((state, x), -1)
    return joined, joined[..., x.shape[-1] :]


class FsmnStep(nn.Module):
    def __init__(self, encoder, project):
        super().__init__()
        self.encoder, self.project = encoder, project

    def states(self):
        """Per layer the normed past, and for layers that look ahead the vectors that still wait."""
        shapes = []
        for layer in self.encoder.fsmn_layers:
            width = layer.memory.in_channels
            shapes += [torch.zeros(1, width, layer.left + layer.right), torch.zeros(1, layer.right, width)]
        return [s for s in shapes if s.numel()]

    def forward(self, x, *states):
        states, kept = list(states), []
        x = self.encoder.ffn(x)
        for layer in self.encoder.fsmn_layers:
            joined, past = remembered(states.pop(0), layer.memory_ln(x).transpose(1, 2))
            kept.append(past)
            if layer.right:
                waiting = torch.cat((states.pop(0), x), 1)
                x, rest = waiting[:, :1], waiting[:, 1:]
                kept.append(rest)
            x = x + layer.memory(joined).transpose(1, 2)
            x = x + layer.ffn(x)
        return (self.project(self.encoder.dnn(x)), *kept)


class VisionStep(nn.Module):
    def __init__(self, model, project):
        super().__init__()
        self.model, self.project = model, project

    def forward(self, pixels):
        return self.project(self.model(pixels)[0])


class CodecStep(nn.Module):
    def __init__(self, codec):
        super().__init__()
        for module in codec.modules():
            if hasattr(module, "weight_g"):
                nn.utils.remove_weight_norm(module)
        self.codec, self.kept, self.states = codec, [], []

    def causal(self, conv, x):
        """A convolution that sees the last rows of earlier steps; at the first call they are zeros."""
        span = (conv.kernel_size[0] - 1) * conv.dilation[0]
        state = self.given.pop(0) if self.given is not None else torch.zeros(1, x.shape[1], span)
        self.used.append(state)
        joined, rest = remembered(state, x)
        self.kept.append(rest)
        return F.conv1d(joined, conv.weight, conv.bias, dilation=conv.dilation)

    def memory(self, lstm, x):
        width = x.shape[-1]
        state = (self.given.pop(0), self.given.pop(0)) if self.given is not None else (torch.zeros(1, 1, width),) * 2
        self.used += state
        y, after = lstm(x, state)
        self.kept += after
        return y

    def forward(self, codes, *given):
        self.given, self.kept, self.used = list(given) or None, [], []
        decoder = self.codec.decoder
        x = self.codec.frames(codes)
        for layer in decoder.mem_layers:
            x = layer.ln1(self.memory(layer.lstm_list1[0], x))
            x = layer.ln2(self.memory(layer.lstm_list2[0], x))
        first, *blocks, snake, _, last, tanh = decoder.model
        x = self.causal(first, x.transpose(1, 2))
        for block in blocks:
            bend, up, *units = block.block
            x = up(bend(x))
            for unit in units:
                bend1, _, dilated, bend2, pointwise = unit.block
                x = x + pointwise(bend2(self.causal(dilated, bend1(x))))
        return (tanh(self.causal(last, snake(x)))[:, 0], *self.kept)


class LayerStep(nn.Module):
    def __init__(self, layer, start, rows):
        super().__init__()
        self.layer = layer
        positions = torch.arange(start, start + rows)
        allowed = positions[:, None] >= torch.arange(start + rows)[None]
        self.register_buffer("positions", positions)
        self.register_buffer("mask", torch.zeros(allowed.shape).masked_fill(~allowed, -1e9))

    def forward(self, x, *past):
        caches = [dict(latent=past[2 * i], key_rope=past[2 * i + 1]) if past else {} for i in range(2)]
        layer = self.layer
        x = x + layer.self_attn[0](layer.input_layernorm[0](x), self.positions, self.mask, caches[0])
        x = x + layer.mlps[0](layer.post_attention_layernorm[0](x))
        x = x + layer.self_attn[1](layer.input_layernorm[1](x), self.positions, self.mask, caches[1])
        x = x + layer.mlps[1](layer.post_attention_layernorm[1](x))
        return (x, *(cache[key] for cache in caches for key in ("latent", "key_rope")))


def write(path, module, inputs, states=()):
    names = [f"state{i}" for i in range(len(states))]
    torch.onnx.export(
        module.eval(),
        (*inputs, *states),
        path,
        opset_version=15,
        do_constant_folding=True,
        input_names=["x", *names],
        output_names=["y", *(f"next{i}" for i in range(len(states)))],
    )
    print(path, os.path.getsize(path) // 1000, "kB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--to", default=os.path.join(ROOT, ".cache", "onnx"))
    args = parser.parse_args()
    os.makedirs(args.to, exist_ok=True)
    to = lambda name: os.path.join(args.to, name)
    torch.manual_seed(1)

    c = config(args.model, "audio", "config.json")
    encoder, project = AudioEncoder(c), projector(c)
    encoder.load_state_dict(tensors(args.model, "audio", "audio_encoder.safetensors"))
    project.load_state_dict(tensors(args.model, "audio", "audio_projector.safetensors"))
    step = FsmnStep(encoder, project)
    write(to("fsmn.onnx"), step, [torch.randn(1, 1, c["input_size"])], step.states())

    c = config(args.model, "vision", "config.json")
    model, project = VisionModel(c), VisionProjector(c)
    model.load_state_dict(tensors(args.model, "vision", "vision_model.safetensors"))
    project.load_state_dict(tensors(args.model, "vision", "vision_projector.safetensors"))
    write(to("vit.onnx"), VisionStep(model, project), [torch.randn(1, 2, 3, 112, 112)])

    codec = CodecDecoder(config(args.model, "audio_codec", "config.json")["codec_config"])
    codec.load_state_dict(tensors(args.model, "audio_codec", "decoder.safetensors"))
    step = CodecStep(codec)
    codes = torch.tensor([[[5, 6, 7, 8]]])
    step(codes)
    used = step.used
    write(to("codec.onnx"), step, [codes], used)
    with open(to("codec.json"), "w") as file:
        json.dump([list(state.shape) for state in used], file)

    c = config(args.model, "config.json")
    layer = Layer(c)
    prefix = "model.layers.0."
    state = {k[len(prefix) :]: v for k, v in tensors(args.model, "model.safetensors").items() if k.startswith(prefix)}
    layer.load_state_dict({k: v for k, v in state.items() if not k.startswith("mlp.")}, strict=False)
    past = [torch.randn(1, CONTEXT, width) for width in (c["kv_lora_rank"], c["qk_rope_head_dim"])] * 2
    write(to("layer-decode.onnx"), LayerStep(layer, CONTEXT, 1), [torch.randn(1, 1, c["hidden_size"])], past)
    write(to("layer-prefill.onnx"), LayerStep(layer, 0, PREFILL), [torch.randn(1, PREFILL, c["hidden_size"])])


if __name__ == "__main__":
    main()
