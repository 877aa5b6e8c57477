"""Shared by the fixture writers: seeded non-trivial weights and file output."""

import json
import os

import torch

from reference import safetensors


def randomise(module, seed, gain=1.0):
    """Seeded weights that keep activations near unit scale and leave no norm, bias or scale at its trivial value."""
    generator = torch.Generator().manual_seed(seed)

    def normal(shape, std, mean=0.0):
        return torch.randn(shape, generator=generator) * std + mean

    for name, p in sorted(module.named_parameters()):
        leaf, width = name.rsplit(".", 1)[-1], p[0].numel() if p.dim() > 1 else 1
        if leaf in ("alpha", "weight_g"):
            value = normal(p.shape, 0.2, 1.0).abs() + 0.1
        elif p.dim() == 1 and leaf == "weight":
            value = normal(p.shape, 0.2, 1.0)
        elif p.dim() == 1 and leaf in ("ls1", "ls2"):
            value = normal(p.shape, 0.1, 0.3)
        elif p.dim() == 1:
            value = normal(p.shape, 0.1)
        else:
            value = normal(p.shape, gain / width**0.5)
        p.data.copy_(value)


def round_to(module, dtype):
    """Rounds all weights to what a file of this type can hold, so that reference and runtime read the same numbers."""
    for p in module.parameters():
        p.data = p.data.to(dtype).float()


def state(module, dtype=torch.float32, keep_float=()):
    return {
        name: tensor if any(k in name for k in keep_float) else tensor.to(dtype)
        for name, tensor in module.state_dict().items()
    }


def write_json(folder, path, value):
    full = os.path.join(folder, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def write_tensors(folder, path, tensors, metadata=None):
    full = os.path.join(folder, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    safetensors.save(full, tensors, metadata)
