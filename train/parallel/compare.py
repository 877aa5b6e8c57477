"""Two runs side by side."""

from dataclasses import dataclass

import torch


def of_ranks(answers):
    """Joins what the ranks know; what several know must be the same bits. -> {"losses", "gradients"}"""
    gradients = []
    for step in range(len(answers[0]["gradients"])):
        whole = {}
        for answer in answers:
            for name, array in answer["gradients"][step].items():
                tensor = torch.from_numpy(array)
                if name in whole and not _same(whole[name], tensor):
                    raise AssertionError(f"ranks disagree on the gradient of {name} in step {step}")
                whole[name] = tensor
        gradients.append(whole)
    if any(answer["losses"] != answers[0]["losses"] for answer in answers):
        raise AssertionError("ranks disagree on the losses")
    return {"losses": answers[0]["losses"], "gradients": gradients}


def _same(a, b):
    """The same bits, the sign of a zero included."""
    return torch.equal(a.contiguous().view(torch.int32), b.contiguous().view(torch.int32))


@dataclass
class Difference:
    equal: bool
    numbers: int
    first_loss: float
    first_gradient: float
    loss: float
    gradient: float

    def __str__(self):
        if self.equal:
            return f"equal, {self.numbers} numbers"
        return f"first step: loss {self.first_loss:.1e}, gradient {self.first_gradient:.1e}; all steps: loss {self.loss:.1e}, gradient {self.gradient:.1e}"


def apart(a, b):
    losses = [abs(y / x - 1) for x, y in zip(a["losses"], b["losses"])]
    steps, numbers, equal = [], len(losses), a["losses"] == b["losses"]
    for x, y in zip(a["gradients"], b["gradients"]):
        if x.keys() != y.keys():
            raise AssertionError(f"gradients of different parameters: {sorted(x.keys() ^ y.keys())[:4]}")
        numbers += sum(t.numel() for t in x.values())
        equal = equal and all(_same(x[n], y[n]) for n in x)
        norm = sum(float(t.double().pow(2).sum()) for t in x.values()) ** 0.5
        steps.append(sum(float((x[n].double() - y[n].double()).pow(2).sum()) for n in x) ** 0.5 / norm)
    return Difference(equal, numbers, losses[0], steps[0], max(losses), max(steps))
