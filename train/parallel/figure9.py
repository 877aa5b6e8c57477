"""The worked example of Figure 9 (docs/spec/model.md §7.5): 8 images, 4 micro-batches, 3 chunks, CP 2 × PP 2.

The sizes are those at which the printed pieces come out exactly. Read off the drawing, images 3, 4 and 5 are about 1.5
times the smallest; a third of a rank's tokens ends where the figure ends its pieces only if they are twice as large.
"""

from .bridge import Plan
from .layout import Layout

LAYOUT = Layout(cp=2, pp=2)
CHUNKS = 3
MICRO_BATCHES = ((0, 1, 2), (3, 4), (5,), (6, 7))
PLACEMENT = ((7,), (6,), (0, 5), (3, 4, 2, 1))
# Rows × columns of patches; a token is two neighbours in a row.
SHAPES = ((4, 6), (1, 6), (1, 6), (2, 6), (2, 6), (2, 6), (5, 6), (6, 6))
TOKENS = tuple(rows * columns // 2 for rows, columns in SHAPES)
# What the figure prints, chunk by chunk, inner rank by inner rank. For chunk 1 of rank 3 it prints "3", where image 4
# lies.
PRINTED = (([7], [6], [0], [3]), ([7], [6], [0], [4]), ([7], [6], [5], [2, 1]))
# The pieces of micro-batch 0: (image, chunk), sorted into the original order.
SELECTED = ((0, 0), (0, 1), (1, 2), (2, 2))
FIXED = tuple(tuple(SHAPES[i] for i in items) for items in MICRO_BATCHES)
NEEDED_LENGTH = 64


def plan():
    return Plan(PLACEMENT, TOKENS, CHUNKS)


def table(planned):
    """The figure as text, and whether it is as printed."""
    primes = {}
    lines = [f"  images {', '.join(f'{i}: {t}' for i, t in enumerate(TOKENS))} tokens"]
    for c, row in enumerate(planned.drawn):
        shown = []
        for items in row:
            names = []
            for item in items:
                primes[item] = primes.get(item, -1) + 1
                names.append(f"{item}{primes[item] * chr(0x2032)}")
            shown.append(",".join(names))
        verdict = "as printed" if tuple(row) == PRINTED[c] else f"DIFFERS: printed {PRINTED[c]}"
        lines.append(
            f"  chunk {c}: inner ranks 0–3 give [{' | '.join(shown)}]  storage {planned.chunk_begins[c]}–{planned.chunk_begins[c + 1] - 1}  {verdict}"
        )
    selected = tuple((item, c) for item in MICRO_BATCHES[0] for c in planned.chunks_of(item))
    verdict = "as printed" if selected == SELECTED else "DIFFERS"
    lines.append(
        f"  mbs0: select {', '.join(f'{item} from chunk {c}' for item, c in selected)}; rows {_runs(planned.rows(MICRO_BATCHES[0]).tolist())}  {verdict}"
    )
    right = all(tuple(row) == printed for row, printed in zip(planned.drawn, PRINTED)) and selected == SELECTED
    return lines, right


def _runs(rows):
    runs = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return ", ".join(f"{a}–{b}" for a, b in runs)
