"""Measures steps on this machine, for the simulator to be checked against: operators' times and memory in small layouts, and steps of layouts
that the simulator has not seen. Writes JSON.

    python3 train/parallel/measure.py --to docs/training-parallelism.json
"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import torch  # noqa: E402

from parallel import jobs  # noqa: E402
from parallel.config import sized  # noqa: E402
from parallel.curriculum import stage  # noqa: E402
from parallel.layout import Layout  # noqa: E402
from parallel.pool import Pool  # noqa: E402
from parallel.step import Settings  # noqa: E402

# Operators are measured on these, at most two ranks each.
FITTED = {"1 × 1 × 1": Layout(), "DP 2": Layout(dp=2), "CP 2": Layout(cp=2), "PP 2": Layout(pp=2), "EP 2": Layout(dp=2, ep=2)}
PREDICTED = {"CP 2 × PP 2": Layout(cp=2, pp=2), "DP 2 × CP 2": Layout(dp=2, cp=2), "EP 4": Layout(dp=2, cp=2, ep=4)}
LENGTH, CHUNKS = 128, 2
HIDDEN = 64


def settings_of(layout):
    return Settings(layout, stage("2 multimodal", shares={"image": 1}, length=LENGTH), micro_batches=4, chunks=CHUNKS, order="rank",
                    config=sized(hidden_size=HIDDEN, ffn_hidden_size=128, expert_ffn_hidden_size=32))


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0


def summary(answers, layout):
    """One row a rank and operator: how many a step, the least and the median of processor's time, memory."""
    ranks = []
    for rank, answer in enumerate(answers):
        names = list(dict.fromkeys(s["name"] for spans in answer["spans"] for s in spans))
        rows = {}
        for name in names:
            steps = [[s for s in spans if s["name"] == name] for spans in answer["spans"]]
            weighed = [s for s in answer["weighed"] if s["name"] == name]
            rows[name] = {"count": len(steps[0]), "cpuMs": median([s["cpu_ms"] for spans in steps for s in spans]),
                          "wallMs": median([s["wall_ms"] for spans in steps for s in spans]),
                          "held": [s["held"] for s in weighed], "most": [s["most"] for s in weighed],
                          "tokens": [s["tokens"] for s in steps[0] if "tokens" in s]}
        ranks.append({"place": layout.place(rank), "static": answer["static"], "peak": answer["peak"], "operators": rows})
    return ranks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(1)
    out = {"date": time.strftime("%Y-%m-%d"), "processors": os.cpu_count(), "pytorch": torch.__version__, "load": [], "length": LENGTH, "microBatches": 4,
           "hidden": HIDDEN, "layers": 4, "chunks": CHUNKS, "layouts": []}
    with Pool(4) as pool:
        out["parameters"] = pool.run(jobs.parameters, ranks=1, settings=settings_of(Layout()))[0]
        for name, layout in {**FITTED, **PREDICTED}.items():
            steps, share, answers = [], [], None
            for i in range(args.rounds):
                share.append(pool.run(jobs.spun, ranks=1, seconds=0.5)[0])
                got = pool.run(jobs.measured, ranks=layout.world, settings=settings_of(layout), steps=args.steps, watched=i == 0)
                share.append(pool.run(jobs.spun, ranks=1, seconds=0.5)[0])
                steps += [max(next(s["wall_ms"] for s in a["spans"][k] if s["name"] == "step") for a in got) for k in range(args.steps)]
                if answers is None:
                    answers = got
                else:
                    for a, b in zip(answers, got):
                        a["spans"] += b["spans"]
            out["load"].append(os.getloadavg()[0])
            sizes = {key: getattr(layout, key) for key in ("dp", "cp", "pp", "ep")}
            out["layouts"].append({"name": name, "fitted": name in FITTED, **sizes, "stepMs": steps, "processorShare": share, "ranks": summary(answers, layout)})
            print(f"{name}: step {median(steps):.0f} ms (least {min(steps):.0f}), a process gets {median(share):.2f} of a processor; "
                  f"peak {max(a['peak'] for a in answers) / 1e6:.2f} MB beyond {answers[0]['static'] / 1e6:.2f} MB", flush=True)
    with open(args.to, "w", encoding="utf-8") as file:
        json.dump(out, file, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
