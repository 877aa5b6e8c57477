"""Measures steps on this machine, for the simulator to be checked against: operators' times and memory in small
layouts, what an exchange takes where ranks outnumber processors, and steps of layouts that the simulator has not seen.
Ranks are bound to processors.

    python3 train/parallel/measure.py --part memory.part --memory
    python3 train/parallel/measure.py --part first.part      # three minutes, on a machine that does nothing else
    python3 train/parallel/measure.py --sum docs/training-parallelism.json memory.part first.part

Further runs go to docs/training-parallelism-2.json and so on. On a machine that others use, ranks can go before them:

    echo -20 > /proc/self/autogroup     # where the system has that
    nice -n -20 python3 train/parallel/measure.py --part first.part
    python3 train/parallel/measure.py --most-others 0.6 --sum docs/training-parallelism.json memory.part first.part
"""

import argparse
import json
import os
import pickle
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# One thread a rank; and memory that was let go stays with the process, which else asks the system for it anew at every
# step, at a cost that varies.
STEADY = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
}
if __name__ == "__main__" and any(os.environ.get(name) != value for name, value in STEADY.items()):
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **STEADY})

try:
    import torch
except ImportError:
    sys.exit("PyTorch is missing for this Python: install python3-torch, or use a Python that has it.")

from parallel import crowd, jobs  # noqa: E402
from parallel.config import sized  # noqa: E402
from parallel.curriculum import stage  # noqa: E402
from parallel.layout import Layout  # noqa: E402
from parallel.pool import Pool, end_cleanly  # noqa: E402
from parallel.step import Settings  # noqa: E402

# Operators are measured on these, at most two ranks each.
FITTED = {
    "1 × 1 × 1": Layout(),
    "DP 2": Layout(dp=2),
    "CP 2": Layout(cp=2),
    "PP 2": Layout(pp=2),
    "EP 2": Layout(dp=2, ep=2),
}
PREDICTED = {"CP 2 × PP 2": Layout(cp=2, pp=2), "DP 2 × CP 2": Layout(dp=2, cp=2), "EP 4": Layout(dp=2, cp=2, ep=4)}
LENGTH, MICRO_BATCHES, CHUNKS = 512, 4, 2
HIDDEN = 256
# Of a processor, that other programs may take during a step, as far as ticks of 4 ms can say, besides processors for
# which there is no rank. Where ranks go before everybody else (nice -n -20), others have what ranks leave while they
# wait: --most-others 0.6.
MOST_OTHERS = 0.08
LEAST_STEPS = 4


def settings_of(layout):
    return Settings(
        layout,
        stage("2 multimodal", shares={"image": 1}, length=LENGTH),
        micro_batches=MICRO_BATCHES,
        chunks=CHUNKS,
        order="rank",
        config=sized(hidden_size=HIDDEN, ffn_hidden_size=2 * HIDDEN, expert_ffn_hidden_size=HIDDEN // 2),
    )


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0


def summary(answers, layout):
    """One row a rank: its operators (how many a step, the median over steps of what one of them took of the thread by
    itself, memory), and its messages."""
    ranks = []
    for rank, answer in enumerate(answers):
        names = list(dict.fromkeys(s["name"] for spans in answer["spans"] for s in spans))
        rows = {}
        for name in names:
            steps = [[s for s in spans if s["name"] == name] for spans in answer["spans"]]
            weighed = [s for s in answer["weighed"] if s["name"] == name]
            rows[name] = {
                "count": len(steps[0]),
                "ownMs": median([sum(s["own_ms"] for s in step) for step in steps]) / len(steps[0]),
                "eachMs": [median([step[i]["own_ms"] for step in steps]) for i in range(len(steps[0]))],
                "held": [s["held"] for s in weighed],
                "most": [s["most"] for s in weighed],
                "tokens": [s["tokens"] for s in steps[0] if "tokens" in s],
            }
        whole = [next(s for s in spans if s["name"] == "step") for spans in answer["spans"]]
        traffic = answer["traffic"]
        ranks.append(
            {
                "place": layout.place(rank),
                "static": answer["static"],
                "peak": answer["peak"],
                "operators": rows,
                "messages": {
                    "ends": traffic[0]["ends"],
                    "bytes": traffic[0]["bytes"],
                    "threadMs": median([t["threadMs"] for t in traffic]),
                    # What gloo's own thread took.
                    "besideMs": median([s["cpu_ms"] - s["thread_ms"] for s in whole]),
                },
            }
        )
    return ranks


class Kept:
    """What the rounds of one layout gave."""

    def __init__(self, layout):
        self.layout, self.steps, self.others, self.answers, self.weighed = layout, [], [], None, False

    def round(self, pool, steps, watched):
        got = pool.run(
            jobs.measured, ranks=self.layout.world, settings=settings_of(self.layout), steps=steps, watched=watched
        )
        if self.answers is None:
            self.answers = [{**a, "spans": [], "traffic": []} for a in got]
        if watched:
            self.weighed = True
            return
        for k in range(steps):
            whole = [next(s for s in a["spans"][k] if s["name"] == "step") for a in got]
            took = max(s["wall_ms"] for s in whole)
            others = got[0]["traffic"][k]["everyone"] - sum(s["cpu_ms"] for s in whole) / took
            self.steps.append(took)
            self.others.append(others)
            for kept, a in zip(self.answers, got):
                kept["spans"].append(a["spans"][k])
                kept["traffic"].append(a["traffic"][k])

    def undisturbed(self, most_others):
        """-> numbers of the steps that count: those during which nobody else worked. What a step took is no reason to
        drop it."""
        free = max(0, os.cpu_count() - self.layout.world)
        return [k for k, others in enumerate(self.others) if others <= most_others + free]


def crowd_round(pool):
    """-> one row a case: of an exchange, the mean over the ranks."""
    rows = []
    for members, together, size in crowd.CASES:
        got = pool.run(crowd.crowded, members=members, together=together, size=size)
        others = (got[0]["everyoneS"] - sum(a["cpuS"] for a in got)) / got[0]["wallS"]
        exchanges = sum(a["exchanges"] for a in got)
        rows.append(
            {
                "members": members,
                "together": together,
                "size": size,
                "others": others,
                "wallMs": max(a["wallS"] for a in got) * 1e3 / got[0]["exchanges"],
                **{
                    key: sum(a[key] for a in got) / exchanges
                    for key in ("ends", "bytes", "threadMs", "workMs", "besideMs")
                },
            }
        )
    return rows


def measure(args):
    """One part: rounds through all layouts, so that what changes in the machine meets all alike."""
    layouts = {name: Kept(layout) for name, layout in {**FITTED, **PREDICTED}.items()}
    part = {
        "date": time.strftime("%Y-%m-%d"),
        "processors": os.cpu_count(),
        "pytorch": torch.__version__,
        "load": [],
        "crowd": [],
    }
    # Unbound, the system decides anew each time who shares a processor with whom, and an exchange of two takes 0.5 or
    # 2 ms by that.
    with Pool(4, bound=True) as pool:
        part["bound"] = pool.run(jobs.processor)
        print(f"4 ranks on processors {part['bound']}, PyTorch {torch.__version__}", flush=True)
        for key, job in (("parameters", jobs.parameters), ("work", jobs.workload)):
            part[key] = pool.run(job, ranks=1, settings=settings_of(Layout()))[0]
        for _ in range(1 if args.memory else args.rounds):
            if not args.memory:
                part["crowd"] += crowd_round(pool)
            for name, kept in layouts.items():
                before = len(kept.steps)
                kept.round(pool, 1 if args.memory else args.steps, args.memory)
                part["load"].append(os.getloadavg()[0])
                print(
                    f"{name}: {[round(ms) for ms in kept.steps[before:]]} ms; others took {[round(each, 2) for each in kept.others[before:]]} of a processor",
                    flush=True,
                )
            # Whoever ends the run keeps the rounds that were whole.
            with open(args.part, "wb") as file:
                pickle.dump((part, layouts), file)


def crowd_summary(rows):
    """One row a case: the mean, since what one exchange takes is one of two things and not what lies between them."""
    out = []
    for members, together, size in crowd.CASES:
        same = [row for row in rows if (row["members"], row["together"], row["size"]) == (members, together, size)]
        if not same:
            sys.exit(f"exchanges of {members} with {size} bytes: others worked during all of them; measure again")
        out.append(
            {
                "members": members,
                "together": together,
                "size": size,
                "count": len(same),
                **{
                    key: sum(row[key] for row in same) / len(same)
                    for key in ("others", "ends", "bytes", "wallMs", "threadMs", "workMs", "besideMs")
                },
            }
        )
    return out


def rounded(value):
    """As many digits as a time in milliseconds, or a share, can have."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def sum_up(args):
    parts = []
    for path in args.parts:
        with open(path, "rb") as file:
            parts.append(pickle.load(file))
    timed = [part for part, layouts in parts if any(kept.steps for kept in layouts.values())]
    if not timed:
        sys.exit("no part with steps: all were made with --memory")
    out = {
        **timed[0],
        "length": LENGTH,
        "microBatches": MICRO_BATCHES,
        "hidden": HIDDEN,
        "layers": 4,
        "chunks": CHUNKS,
        "layouts": [],
    }
    out["load"] = [load for part in timed for load in part["load"]]
    out["crowd"] = crowd_summary(
        [row for part, _ in parts for row in part["crowd"] if row["others"] <= args.most_others]
    )
    for name, layout in {**FITTED, **PREDICTED}.items():
        every = [layouts[name] for _, layouts in parts]
        weighed = next((kept.answers for kept in every if kept.weighed), None)
        counted = [(kept, k) for kept in every for k in kept.undisturbed(args.most_others)]
        steps, others = ([getattr(kept, key)[k] for kept, k in counted] for key in ("steps", "others"))
        dropped = sum(len(kept.steps) for kept in every) - len(steps)
        if not weighed or len(steps) < LEAST_STEPS:
            sys.exit(
                f"{name}: memory {'known' if weighed else 'not weighed'}, {len(steps)} steps ({dropped} dropped since others worked); {LEAST_STEPS} are needed"
            )
        answers = [
            {**a, **{key: [kept.answers[rank][key][k] for kept, k in counted] for key in ("spans", "traffic")}}
            for rank, a in enumerate(weighed)
        ]
        sizes = {key: getattr(layout, key) for key in ("dp", "cp", "pp", "ep")}
        out["layouts"].append(
            {
                "name": name,
                "fitted": name in FITTED,
                **sizes,
                "stepMs": steps,
                "others": others,
                "dropped": dropped,
                "ranks": summary(answers, layout),
            }
        )
        print(
            f"{name}: step {median(steps):.0f} ms (least {min(steps):.0f}, n {len(steps)}), others took at most {max(others):.3f} of a processor; "
            f"peak {max(a['peak'] for a in answers) / 1e6:.2f} MB beyond {answers[0]['static'] / 1e6:.2f} MB",
            flush=True,
        )
    with open(args.sum, "w", encoding="utf-8") as file:
        json.dump(rounded(out), file, ensure_ascii=False, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", metavar="FILE", help="measure, and write what was seen")
    parser.add_argument("--memory", action="store_true", help="weigh instead of timing: needs no quiet machine")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--most-others",
        type=float,
        default=MOST_OTHERS,
        help="of a processor; a step in which others took more is dropped",
    )
    parser.add_argument("--sum", metavar="JSON", help="make one file of parts: one with --memory, the others without")
    parser.add_argument("parts", nargs="*")
    args = parser.parse_args()
    if not args.part and not args.sum:
        parser.error("nothing to do: --part FILE measures, --sum JSON PART… makes one file of parts")
    for path in (args.part, args.sum):
        if path and not os.path.isdir(os.path.dirname(path) or "."):
            parser.error(f"{path}: there is no folder {os.path.dirname(path)}")
    missing = [path for path in args.parts if not os.path.isfile(path)]
    if args.sum and (missing or not args.parts):
        parser.error(f"no such part: {', '.join(missing)}" if missing else "--sum needs the parts that --part wrote")
    torch.set_num_threads(1)
    end_cleanly()
    if args.part:
        measure(args)
    if args.sum:
        sum_up(args)


if __name__ == "__main__":
    main()
