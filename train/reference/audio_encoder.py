"""FSMN audio encoder and projector (spec 3.3, 3.4); input are spliced, normalised filter-bank vectors."""

import torch.nn.functional as F
from torch import nn


class FsmnLayer(nn.Module):
    def __init__(self, width, hidden, left, right):
        super().__init__()
        self.left, self.right = left, right
        self.memory_ln = nn.LayerNorm(width)
        self.memory = nn.Conv1d(width, width, left + 1 + right, groups=width, bias=False)
        self.ffn = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU6(), nn.Linear(hidden, width))

    def forward(self, x, valid=None):
        """x [B, T, width]. The padding is applied after the norm: outside the utterance the memory reads 0."""
        g = self.memory_ln(x)
        if valid is not None:
            g = g * valid[..., None]
        y = x + self.remember(F.pad(g, (0, 0, self.left, self.right)))
        return y + self.ffn(y)

    def remember(self, g):
        """The depthwise convolution tap by tap: a third of the time that conv1d takes on a CPU."""
        taps, count = self.memory.weight[:, 0].T, g.shape[1] - self.left - self.right
        return sum(tap * g[:, k : k + count] for k, tap in enumerate(taps))


class AudioEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        hidden, width, layers = c["hidden_size"], c["proj_size"], c["nlayer"]
        ahead = layers - c["num_right_layers"]
        self.ffn = nn.Sequential(nn.Linear(c["input_size"], hidden), nn.ReLU6(), nn.Linear(hidden, width, bias=False))
        self.fsmn_layers = nn.ModuleList(
            FsmnLayer(width, hidden, c["left_order"], c["right_order"] if i >= ahead else 0) for i in range(layers)
        )
        stages = [
            stage for i in range(c["ndnn"]) for stage in (nn.Linear(width if i == 0 else hidden, hidden), nn.ReLU6())
        ]
        self.dnn = nn.Sequential(*stages)
        self.output = nn.Linear(hidden, c["vocab_size"])

    def forward(self, x, valid=None):
        """[B, T, 1200] -> [B, T, hidden]; `valid` [B, T] masks padding so that a batch equals its items alone."""
        x = self.ffn(x)
        for layer in self.fsmn_layers:
            x = layer(x, valid)
        return self.dnn(x)


def projector(c):
    hidden, out = c["hidden_size"], c["proj_output_dim"]
    return nn.Sequential(nn.Linear(hidden, out), nn.GELU(), nn.Linear(out, out))
