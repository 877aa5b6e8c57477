"""Every rank writes its own part; a checkpoint counts once all parts are there. A run that lost a rank goes on from the
last one."""

import os

import torch

from .layout import Refused

LATEST = "latest"


def identity(settings):
    """What must be the same for a checkpoint to fit."""
    return {
        "layout": str(settings.layout),
        "stage": settings.stage.name,
        "seed": settings.seed,
        "micro_batches": settings.micro_batches,
        "order": settings.order,
        "decoupled": settings.decoupled,
        "rate": settings.rate,
    }


def save(trainer, folder):
    """Collective. The file `latest` is replaced last, in one step."""
    name = f"step-{trainer.step_number}"
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    path = os.path.join(folder, name, f"rank-{trainer.rank}.pt")
    torch.save({"identity": identity(trainer.settings), "step": trainer.step_number, **trainer.state()}, path + ".part")
    os.replace(path + ".part", path)
    trainer.world.sum_integers(torch.ones(1, dtype=torch.int64), "metadata")  # everyone has written
    if trainer.rank == 0:
        with open(os.path.join(folder, LATEST + ".part"), "w", encoding="utf-8") as file:
            file.write(name)
        os.replace(file.name, os.path.join(folder, LATEST))


def restore(trainer, folder):
    """-> the step to go on from; 0 where there is no checkpoint. @raises Refused: it is of another run."""
    latest = os.path.join(folder, LATEST)
    if not os.path.exists(latest):
        return 0
    with open(latest, encoding="utf-8") as file:
        name = file.read()
    state = torch.load(os.path.join(folder, name, f"rank-{trainer.rank}.pt"))
    wanted = identity(trainer.settings)
    for key, value in state["identity"].items():
        if wanted[key] != value:
            raise Refused(
                f"the checkpoint {name} is of {key} {value}, this run is of {wanted[key]}: start anew, or with its settings"
            )
    trainer.load(state)
    return trainer.step_number
