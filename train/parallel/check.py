"""Runs modality-decoupled parallelism on four processes and prints what must be the same, what is, and what is not.

python3 train/parallel/check.py            # minutes on two cores
python3 train/parallel/check.py --short    # what the test suite runs
"""

import argparse
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
try:
    import torch
except ImportError:
    sys.exit("PyTorch is missing for this Python: install python3-torch, or use a Python that has it.")

from parallel import figure9, jobs  # noqa: E402
from parallel.compare import apart, of_ranks  # noqa: E402
from parallel.config import sized  # noqa: E402
from parallel.curriculum import STAGES, stage  # noqa: E402
from parallel.golden import Whole  # noqa: E402
from parallel.layout import Layout, Refused  # noqa: E402
from parallel.pool import Pool, end_cleanly  # noqa: E402
from parallel.step import Settings  # noqa: E402
from parallel.supervise import supervised  # noqa: E402

ALL = stage("all at once")
LAYOUTS = {
    "1 × 1 × 1": Layout(),
    "DP 2": Layout(dp=2),
    "CP 2 × PP 2": Layout(cp=2, pp=2),
    "DP 2 × CP 2": Layout(dp=2, cp=2),
    "EP 2": Layout(dp=2, ep=2),
    "EP 4": Layout(dp=2, cp=2, ep=4),
}
# Largest relative difference of a loss over all steps, and of a step's gradient (norm of the difference over norm)
# where sums change order.
LOSS_BOUND, GRADIENT_BOUND = 2e-4, 2e-2
FIRST_LOSS_BOUND, FIRST_GRADIENT_BOUND = 1e-6, 1e-5


class Check:
    def __init__(self, short):
        self.short, self.wrong, self.known = short, [], {}
        self.steps, self.micro_batches = (2, 4) if short else (20, 8)
        self.stage = stage("all at once", length=32) if short else stage("all at once")
        self.config = sized(num_layers=2) if short else None

    def say(self, text=""):
        print(text, flush=True)

    def verdict(self, right, text):
        self.say(f"  {'ok     ' if right else 'WRONG  '}{text}")
        if not right:
            self.wrong.append(text)

    def trained(self, pool, **given):
        """Each configuration is run once for as many comparisons as there are, unless `again` makes it another."""
        key = repr(sorted(given.items(), key=lambda pair: pair[0]))
        if key not in self.known:
            given = {name: value for name, value in given.items() if name != "again"}
            settings = Settings(stage=self.stage, micro_batches=self.micro_batches, config=self.config, **given)
            settings.check(4)
            self.known[key] = of_ranks(
                pool.run(jobs.train, ranks=settings.layout.world, settings=settings, steps=self.steps)
            )
        return self.known[key]

    def figure(self, pool):
        self.say("Figure 9: 8 images, 4 micro-batches, 3 chunks, CP 2 × PP 2, the printed placement")
        lines, right = figure9.table(figure9.plan())
        for line in lines:
            self.say(line)
        self.verdict(right, "every piece and its place")
        settings = Settings(
            layout=figure9.LAYOUT,
            stage=stage("all at once", length=figure9.NEEDED_LENGTH),
            micro_batches=4,
            chunks=figure9.CHUNKS,
            placement=figure9.PLACEMENT,
            fixed=figure9.FIXED,
        )
        answers = pool.run(jobs.figure, settings=settings)
        encoded = {item: out for answer in answers for item, out in answer["encoded"].items()}
        self.verdict(
            sorted(encoded) == list(range(8))
            and all(tuple(a["encoded"]) == p for a, p in zip(answers, figure9.PLACEMENT)),
            "each rank encoded the images that the figure gives it, in its order",
        )
        same = [
            torch.equal(answer["got"][items], torch.cat([encoded[i] for i in items]))
            for answer in answers[:2]
            for items in figure9.MICRO_BATCHES
        ]
        self.verdict(
            all(same),
            "on cp0 and cp1 of pp0 every micro-batch has its images' embeddings, bit for bit, in the original order",
        )

    def memory(self, pool):
        tokens, chunks = (256, (1, 8)) if self.short else (2048, (1, 2, 3, 4, 8, 16, 64))
        config, layout = sized(hidden_size=128), figure9.LAYOUT
        self.say(
            f"\nThe bridge's memory on inner rank 0: {tokens} tokens a rank, width 128, CP 2 × PP 2 (bytes, by PyTorch's allocator)"
        )
        self.say("  chunks      peak    stored   peak − stored   × chunks, to 1 chunk")
        one = came = None
        for count in chunks:
            answers = pool.run(jobs.bridge_memory, layout=layout, config=config, tokens=tokens, chunks=count)
            most, stored = answers[0]["peak"], answers[0]["stored"]
            storage = answers[0]["came"].numel() * 4 // layout.cp
            passing = most - storage
            one, came = one or passing, answers[0]["came"] if came is None else came
            ratio = passing * count / one
            self.say(f"  {count:6d} {most:9d} {stored:9d} {passing:15d}   {ratio:.3f}")
            same = all(torch.equal(a["came"], came) for a in answers[:2])
            self.verdict(
                0.9 < ratio < 1.15 and same,
                f"{count} chunk{'s' * (count > 1)}: 1/{count} of the passing memory, the same bits",
            )

    def equal(self, pool, title, a, b):
        (da, ra), (db, rb) = ((str(g["layout"]), self.trained(pool, **g)) for g in (a, b))
        difference = apart(ra, rb)
        self.verdict(difference.equal, f"{title}: {da} / {db}: {difference}")

    def bits(self, pool):
        self.say(
            f"\nBit for bit: losses and gradients of {self.steps} steps ({self.micro_batches} micro-batches; all curriculum parts at once)"
        )
        fig = {"layout": LAYOUTS["CP 2 × PP 2"]}
        self.equal(pool, "chunks 1 / 3", {**fig, "chunks": 1}, {**fig, "chunks": 3})
        self.equal(pool, "run / run", {**fig, "chunks": 3}, {**fig, "chunks": 3, "again": 1})
        finest = {"order": "finest"}
        self.equal(pool, "decoupled / plain", {**fig, **finest}, {**fig, **finest, "decoupled": False})
        one, two = {"layout": LAYOUTS["1 × 1 × 1"]}, {"layout": LAYOUTS["DP 2"]}
        self.equal(pool, "sums by micro-batch and item", {**one, **finest}, {**two, **finest})
        self.equal(pool, "experts everywhere / spread", two, {"layout": LAYOUTS["EP 2"]})
        if self.short:
            return
        for chunks in (2, 7, 64):
            self.equal(pool, f"chunks 1 / {chunks}", {**fig, "chunks": 1}, {**fig, "chunks": chunks})
        both = {"layout": LAYOUTS["DP 2 × CP 2"]}
        self.equal(pool, "chunks 1 / 3", {**both, "chunks": 1}, {**both, "chunks": 3})
        self.equal(pool, "run / run", {**both, "chunks": 1}, {**both, "chunks": 1, "again": 1})
        self.equal(pool, "decoupled / plain", {**both, **finest}, {**both, **finest, "decoupled": False})
        self.equal(pool, "decoupled / plain", {**two, **finest}, {**two, **finest, "decoupled": False})
        self.equal(pool, "experts everywhere / spread", both, {"layout": LAYOUTS["EP 4"]})
        self.equal(pool, "experts everywhere / spread", both, {"layout": Layout(dp=2, cp=2, ep=2)})
        self.equal(pool, "pipeline", {**one, **finest}, {"layout": Layout(pp=2), **finest})
        self.equal(pool, "pipeline", {**one, **finest}, {"layout": Layout(pp=4), **finest})
        self.equal(pool, "data parallel for pipeline", {**fig, **finest}, {**both, **finest})
        self.equal(
            pool, "shards of the encoders: 4 / 2", {**both, **finest}, {"layout": Layout(dp=2, cp=2, hsdp=4), **finest}
        )

    def deviations(self, pool):
        self.say(
            f"\nWhere sums change their order: deviation from 1 × 1 × 1 over {self.steps} steps (bounds: first step {FIRST_LOSS_BOUND:g} of the loss, "
            f"{FIRST_GRADIENT_BOUND:g} of the gradient; all steps {LOSS_BOUND:g} and {GRADIENT_BOUND:g})"
        )
        one = self.trained(pool, layout=LAYOUTS["1 × 1 × 1"])
        golden_loss, golden = Whole(
            Settings(LAYOUTS["1 × 1 × 1"], self.stage, micro_batches=self.micro_batches, config=self.config)
        ).step()
        loss_off = abs(one["losses"][0] / golden_loss - 1)
        worst = max(
            (float((one["gradients"][0][n] - g).abs().max() / g.abs().max().clamp(min=1e-30)), n)
            for n, g in golden.items()
            if n in one["gradients"][0]
        )
        self.verdict(
            loss_off <= FIRST_LOSS_BOUND and worst[0] < 1e-4 and len(golden) == len(one["gradients"][0]),
            f"golden reference (train/'s own modules, one process): loss {loss_off:.1e}, worst of {len(golden)} gradients {worst[0]:.1e} ({worst[1]})",
        )
        sources = {
            "DP 2": "micro-batches are summed within ranks first",
            "CP 2 × PP 2": "products over half a sequence, sums over its halves",
            "DP 2 × CP 2": "both",
            "EP 4": "both (none from the experts' exchange)",
        }
        for name, why in sources.items() if not self.short else list(sources.items())[:2]:
            difference = apart(one, self.trained(pool, layout=LAYOUTS[name]))
            inside = (
                difference.first_loss <= FIRST_LOSS_BOUND
                and difference.first_gradient <= FIRST_GRADIENT_BOUND
                and difference.loss <= LOSS_BOUND
                and difference.gradient <= GRADIENT_BOUND
            )
            self.verdict(inside, f"{name}: {difference}; {why}")

    def curriculum(self, pool):
        self.say("\nThe report's stages by configuration, on CP 2 × PP 2, two steps each")
        for name, each in STAGES.items():
            settings = Settings(Layout(cp=2, pp=2), each, micro_batches=4, chunks=2)
            answers = pool.run(jobs.frozen, settings=settings, steps=2)
            moved = set().union(*(m for _, m in answers))
            parts = sorted(
                {
                    "vision encoder"
                    if n == "encoders.vision"
                    else "audio encoder"
                    if n == "encoders.audio"
                    else "code tables and heads"
                    if n.startswith(("audio.", "heads."))
                    else "language model"
                    for n in moved
                }
            )
            wanted = sorted(each.trained)
            self.verdict(
                parts == wanted,
                f"{name}: {each.length} positions, losses {answers[0][0][0]:.4f} {answers[0][0][1]:.4f}, moved: {', '.join(parts)}",
            )

    def killed(self):
        steps, every = (2, 1) if self.short else (8, 2)
        self.say(f"\nA rank is killed inside a step; the run goes on from its checkpoint ({steps} steps, CP 2 × PP 2)")
        settings = Settings(
            Layout(cp=2, pp=2), stage("all at once", length=32), micro_batches=4, chunks=3, config=self.config
        )
        with tempfile.TemporaryDirectory() as folder:
            where = lambda name: os.path.join(folder, name)
            whole, _ = supervised(settings, steps, where("whole"), every, say=self.say)
            resumed, attempts = supervised(
                settings, steps, where("killed"), every, die=(2, steps - 1, where("died")), say=self.say
            )
            same = [(a, b) for a, b in zip(whole, resumed) if b is not None]
            self.verdict(
                attempts == 2 and same and all(a == b for a, b in same),
                f"{len(same)} losses after the restart are those of the undisturbed run, bit for bit",
            )
            if self.short:
                return
            other = Settings(Layout(dp=2, cp=2), settings.stage, micro_batches=4)
            self.refused("a checkpoint of another layout", lambda: supervised(other, steps, where("whole"), every))

    def refused(self, name, function):
        try:
            function()
            self.verdict(False, f"{name} was not refused")
        except Exception as error:  # a rank's refusal arrives as the pool's failure
            said = str(error).splitlines()[0]
            self.verdict(isinstance(error, Refused) or "Refused" in said, f"{name}: {said}")

    def refusals(self):
        self.say("\nRefused, with the reason")
        for name, layout, more in (
            ("too few ranks", Layout(dp=2, cp=2, pp=2), {}),
            ("layers", Layout(pp=3), {}),
            ("experts", Layout(dp=3, ep=3), {}),
            ("expert group", Layout(dp=2, ep=4), {}),
            ("width", Layout(cp=3), {}),
            ("shards", Layout(dp=2, cp=2, hsdp=3), {}),
            ("size", Layout(cp=0), {}),
            ("micro-batches", Layout(dp=2), {"micro_batches": 7}),
            ("order", Layout(), {"order": "any"}),
            ("sequence", Layout(cp=4), {"stage": stage("all at once", length=36)}),
        ):
            self.refused(name, lambda: Settings(**{"layout": layout, "stage": ALL, **more}).check(4))
        self.refused("chunks", lambda: figure9.Plan(figure9.PLACEMENT, figure9.TOKENS, 0))
        self.refused("curriculum stage", lambda: stage("6 more"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few steps and layouts: what the test suite runs")
    torch.set_num_threads(1)
    end_cleanly()
    begun = time.time()
    check = Check(parser.parse_args().short)
    with Pool(4) as pool:
        check.figure(pool)
        check.memory(pool)
        check.bits(pool)
        check.deviations(pool)
        if not check.short:
            check.curriculum(pool)
    check.killed()
    check.refusals()
    check.say(
        f"\n{'all of it holds' if not check.wrong else f'{len(check.wrong)} do not hold'}; {time.time() - begun:.0f} s, PyTorch {torch.__version__}"
    )
    sys.exit(1 if check.wrong else 0)


if __name__ == "__main__":
    main()
