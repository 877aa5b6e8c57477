"""The mixture for training: the weights of all experts in three stacks, instead of one small product after another.

Same result as `reference.language_model.Mixture` up to rounding, and the same names in checkpoints.
"""

import torch
import torch.nn.functional as F
from torch import nn

NAMES = ("gate_proj", "up_proj", "down_proj")


class StackedMixture(nn.Module):
    def __init__(self, mixture):
        super().__init__()
        self.router, self.count = mixture.router, len(mixture.experts)
        for name in NAMES:
            setattr(self, name, nn.Parameter(torch.stack([getattr(e, name).weight.detach() for e in mixture.experts])))
        self.last_index = None
        self._register_state_dict_hook(self._unstack)
        self._register_load_state_dict_pre_hook(self._stack)

    def _unstack(self, module, state, prefix, _metadata):
        for name in NAMES:
            for i, weight in enumerate(state.pop(prefix + name)):
                state[f"{prefix}experts.{i}.{name}.weight"] = weight

    def _stack(self, state, prefix, *_):
        for name in NAMES:
            if f"{prefix}experts.0.{name}.weight" in state:
                state[prefix + name] = torch.stack(
                    [state.pop(f"{prefix}experts.{i}.{name}.weight") for i in range(self.count)]
                )

    def forward(self, x):
        flat = x.reshape(-1, x.shape[-1])
        index, weight = self.router(flat)
        self.last_index = index.detach()
        routed = self.all_of_them if flat.is_cuda else self.chosen
        identity = (weight * (index >= self.count)).sum(-1, keepdim=True)
        return (routed(flat, index, weight) + identity * flat).view_as(x)

    def all_of_them(self, flat, index, weight):
        """Every expert on every position: more arithmetic, but of one shape, as a recorded step needs."""
        share = flat.new_zeros(len(flat), self.router.classifier.out_features).scatter(1, index, weight)[
            :, : self.count
        ]
        inner = F.silu(flat @ self.gate_proj.flatten(0, 1).T) * (flat @ self.up_proj.flatten(0, 1).T)
        inner = inner.view(len(flat), self.count, -1) * share[:, :, None]
        return inner.flatten(1) @ self.down_proj.transpose(1, 2).flatten(0, 1)

    def chosen(self, flat, index, weight):
        """The chosen experts in three batched products."""
        k = index.shape[1]
        order = index.flatten().argsort(stable=True)
        sizes = torch.bincount(index.flatten(), minlength=self.count)[: self.count]
        order = order[: int(sizes.sum())]
        expert = index.flatten()[order]
        slot = torch.arange(len(order), device=flat.device) - (sizes.cumsum(0) - sizes)[expert]
        room = max(1, int(sizes.max()))
        place = expert * room + slot
        token = torch.div(order, k, rounding_mode="floor")
        padded = (
            flat.new_zeros(self.count * room, flat.shape[1])
            .index_copy(0, place, flat[token])
            .view(self.count, room, -1)
        )
        inner = F.silu(padded @ self.gate_proj.transpose(1, 2)) * (padded @ self.up_proj.transpose(1, 2))
        done = (inner @ self.down_proj.transpose(1, 2)).view(self.count * room, -1)[place]
        return torch.zeros_like(flat).index_add(0, token, done * weight.flatten()[order, None])


def stack_experts(lm):
    for layer in lm.model.layers:
        layer.mlp = StackedMixture(layer.mlp)
    return lm
