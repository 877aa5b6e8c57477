"""Fits the speech detector's network: python3 train/speech_detector/fit.py DIRECTORY OUT.json [EPOCHS]

A gated recurrent unit of 32 over the features of actors/perceive/sound-features.ts, a frame at a time, never a look
ahead. The weights are rounded to 16 bits in the file, a scale for each matrix. Every tenth scene is held out.
"""

import base64
import json
import os
import sys

import numpy as np
import torch
from torch import nn

HIDDEN, BATCH, SEED = 32, 84, 1
STRETCH = 132  # frames learnt from at once; a scene is three of them
SPEECH_WEIGHT = 1.5  # a missed frame of speech costs more than a heard one of noise


class Detector(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.gru, self.out = nn.GRU(features, HIDDEN, batch_first=True), nn.Linear(HIDDEN, 1)

    def forward(self, x):
        return self.out(self.gru(x)[0])[..., 0]


def scenes(directory):
    lengths = json.load(open(os.path.join(directory, "lengths.json")))
    heard = np.fromfile(os.path.join(directory, "heard.u8"), np.uint8)
    features = np.fromfile(os.path.join(directory, "features.f32"), np.float32).reshape(len(heard), -1)
    x = np.zeros((len(lengths), max(lengths), features.shape[1]), np.float32)
    y = np.full((len(lengths), max(lengths)), 2, np.uint8)
    at = 0
    for i, n in enumerate(lengths):
        x[i, :n], y[i, :n] = features[at : at + n], heard[at : at + n]
        at += n
    return torch.tensor(x), torch.tensor(y)


def stretches(x, y):
    cut = [slice(at, at + STRETCH) for at in range(0, x.shape[1] - STRETCH + 1, STRETCH)]
    return torch.cat([x[:, part] for part in cut]), torch.cat([y[:, part] for part in cut])


def loss_of(score, y):
    told = (y < 2).float()
    target = (y == 1).float()
    weight = told * (1 + (SPEECH_WEIGHT - 1) * target)
    return (
        nn.functional.binary_cross_entropy_with_logits(score, target, reduction="none") * weight
    ).sum() / weight.sum()


def told(score, y):
    on, speech, quiet = score > 0, y == 1, y == 0
    return f"speech missed {100 * (~on & speech).sum() / speech.sum():.2f} %, other sound heard {100 * (on & quiet).sum() / quiet.sum():.2f} %"


def written(model):
    out = {"features": model.gru.input_size, "hidden": HIDDEN}
    for name, value in model.state_dict().items():
        value = value.numpy().astype(np.float64)
        scale = float(np.abs(value).max() / 32767)
        codes = np.round(value / scale).astype("<i2")
        out[name.replace("gru.", "").replace("_l0", "").replace("out.", "out_")] = {
            "scale": scale,
            "codes": base64.b64encode(codes.tobytes()).decode(),
        }
    return out


def main(directory, out, epochs="30"):
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    x, y = scenes(directory)
    held = np.arange(len(x)) % 10 == 0
    test = np.flatnonzero(held)
    x_train, y_train = stretches(x[~held], y[~held])
    model = Detector(x.shape[2])
    steps = int(epochs) * -(-len(x_train) // BATCH)
    optimiser = torch.optim.Adam(model.parameters(), 6e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps)
    for epoch in range(int(epochs)):
        for part in np.array_split(rng.permutation(len(x_train)), -(-len(x_train) // BATCH)):
            loss = loss_of(model(x_train[part]), y_train[part])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        if epoch % 5 == 4 or epoch + 1 == int(epochs):
            with torch.no_grad():
                score = model(x[test])
            print(f"epoch {epoch + 1}: loss {loss_of(score, y[test]):.4f}, {told(score, y[test])}", flush=True)
    with open(out, "w") as file:
        json.dump(written(model), file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:4])
