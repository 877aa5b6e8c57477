"""Every stage in one go on a machine with a GPU and many cores, by the clock: python3 train/all_stages.py --seconds 560
--to OUT

Voices, views and ear are made while the language model learns from imagined senses; then it learns from them. Starts
from the encoders, the codec and, where it is there, the language model in the training cache (`restore.py` puts the
shipped ones there). What was reached is written to OUT in pieces of at most 15 MB (`--join OUT` puts them back into a
training cache); everything else stays in the cache.
"""

import argparse
import os
import subprocess
import sys
import threading
import time

import torch

from paths import CACHE, TRAIN, cache

PIECE_BYTES = 15_000_000
LEAST_SECONDS = 30
DRAWERS = 5
# Shares of the seconds
VIEWS_UNTIL, TABLES_AGAIN_AT, VOICES_UNTIL, EAR_UNTIL, ALL_UNTIL = 0.16, 0.33, 0.5, 0.57, 0.97
LANGUAGE, EAR, CODEC = "polish", "audio_encoder", "codec_decoder"


class Plan:
    """Processes beside each other, each with its share of the seconds."""

    def __init__(self, seconds):
        self.begun, self.seconds, self.running = time.time(), seconds, {}

    def at(self):
        return time.time() - self.begun

    def left_until(self, share):
        return max(1.0, share * self.seconds - self.at())

    def start(self, name, *command):
        print(f"{self.at():.0f} s: {name}: {' '.join(command)}", flush=True)
        log = open(cache(f"{name}.log"), "a")
        script, *rest = command
        self.running[name] = subprocess.Popen(
            [sys.executable, os.path.join(TRAIN, script), *rest],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        )

    def wait(self, *names):
        """-> whether all of them succeeded."""
        failed = []
        for name in names:
            if self.running.pop(name).wait() != 0:
                failed.append(name)
                print(f"{self.at():.0f} s: {name} failed", flush=True)
            with open(cache(f"{name}.log")) as file:
                print("".join(f"  {name}| {line}" for line in file.readlines()[-6:]), end="", flush=True)
        return not failed


def minutes(seconds):
    return ("--wall", "--minutes", f"{max(0.05, seconds / 60):.3f}")


def run(seconds, cores, with_codec):
    plan, voices, views = Plan(seconds), max(1, cores - DRAWERS - 2), max(1, cores // 4)
    plan.start("ear-words", "stages/audio_encoder.py", "--minutes", "0")
    plan.start("test-questions", "data/synthesise.py", "test-questions")
    scratch = not os.path.exists(cache("shipped.pt"))
    if scratch:
        plan.start("text", "stages/text.py", *minutes(0.06 * seconds), "--drawers", "3")
    codec = threading.Thread(target=speak, args=(plan,))
    if with_codec:
        codec.start()
    for i in range(voices):
        plan.start(
            f"voices-{i}",
            "data/synthesise.py",
            "questions",
            "--shard",
            str(i),
            "--seconds",
            f"{VOICES_UNTIL * seconds:.0f}",
        )
    for i in range(views):
        plan.start(f"views-{i}", "data/views.py", "--shard", str(i), "--seconds", f"{VIEWS_UNTIL * seconds:.0f}")
    if scratch:
        plan.wait("text")
    plan.start("speech", "stages/speech.py", *minutes(plan.left_until(VIEWS_UNTIL)), "--drawers", str(DRAWERS))
    plan.wait("ear-words", "test-questions")
    plan.start(
        "ear",
        "stages/audio_encoder.py",
        *minutes(plan.left_until(EAR_UNTIL)),
        "--rate",
        "1.5e-3",
        "--save-seconds",
        f"{0.05 * seconds:.0f}",
    )
    plan.wait(*(f"views-{i}" for i in range(views)))
    plan.start("tables", "stages/encoded.py", "--most", "60000")
    plan.wait("tables", "speech")
    polish = threading.Thread(target=listen, args=(plan, DRAWERS))
    polish.start()
    time.sleep(plan.left_until(TABLES_AGAIN_AT))
    plan.start("tables", "stages/encoded.py", "--most", "150000")
    plan.wait("tables")
    plan.wait("ear", *(f"voices-{i}" for i in range(voices)))
    plan.start("tables", "stages/encoded.py", "--most", "200000", "--takes", "2")
    plan.wait("tables")
    polish.join()
    if with_codec:
        codec.join()


def listen(plan, drawers):
    """Real senses until the end; begun again from its last checkpoint should it fail."""
    while plan.left_until(ALL_UNTIL) > LEAST_SECONDS:
        plan.start(
            "polish",
            "stages/senses.py",
            "polish",
            "--rate",
            "2.5e-3",
            *minutes(plan.left_until(ALL_UNTIL)),
            "--drawers",
            str(drawers),
        )
        if plan.wait("polish"):
            return


def speak(plan):
    """The codec's decoder, beside everything else."""
    plan.start("answers", "data/synthesise.py", "answers")
    plan.wait("answers")
    plan.start("codec", "stages/codec_decoder.py", "--adversary", "--rate", "5e-4", *minutes(plan.left_until(0.5)))
    plan.wait("codec")


def split(to):
    """Modules of the stages, without optimiser states, in pieces; and the logs."""
    os.makedirs(to, exist_ok=True)
    flat = {}
    for stage in (LANGUAGE, EAR, CODEC):
        if not os.path.exists(cache(f"{stage}.pt")):
            continue
        state = torch.load(cache(f"{stage}.pt"), map_location="cpu", weights_only=False)
        for module, tensors in state["modules"].items():
            flat.update({f"{stage}/{module}/{name}": tensor for name, tensor in tensors.items()})
    pieces, size = [{}], 0
    for name, tensor in flat.items():
        if size + tensor.nbytes > PIECE_BYTES:
            pieces.append({})
            size = 0
        pieces[-1][name] = tensor.clone()
        size += tensor.nbytes
    for i, piece in enumerate(pieces):
        torch.save(piece, os.path.join(to, f"weights-{i}.pt"))
    logs = [f for f in os.listdir(CACHE) if f.endswith((".csv", ".log")) or f == "audio_words.json"]
    subprocess.run(["tar", "czf", os.path.join(to, "logs.tar.gz"), "-C", CACHE, *logs], check=True)


def join(source):
    stages = {}
    for name in sorted(os.listdir(source)):
        if name.startswith("weights-"):
            for key, tensor in torch.load(os.path.join(source, name), map_location="cpu", weights_only=False).items():
                stage, module, tensor_name = key.split("/")
                stages.setdefault(stage, {}).setdefault(module, {})[tensor_name] = tensor
    for stage, modules in stages.items():
        torch.save(
            {"modules": modules, "optimiser": None, "step": 0, "minutes": 0.0, "random": None}, cache(f"{stage}.pt")
        )
    subprocess.run(["tar", "xzf", os.path.join(source, "logs.tar.gz"), "-C", CACHE], check=True)
    print(f"joined {', '.join(stages)} into {CACHE}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=560)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--codec", action="store_true", help="train the codec's decoder too")
    parser.add_argument("--to", help="folder for what was reached")
    parser.add_argument(
        "--join", metavar="FOLDER", help="only: put the pieces of an earlier run into the training cache"
    )
    args = parser.parse_args()
    if args.join:
        return join(args.join)
    try:
        run(args.seconds, args.cores, args.codec)
    finally:
        if args.to:
            split(args.to)


if __name__ == "__main__":
    main()
