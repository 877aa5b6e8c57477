"""What an exchange takes of the processors where ranks outnumber them, measured by itself: no layout is run. Four ranks
compute for a while, exchange, and compute again, in groups and sizes in which layouts exchange."""

import itertools
import time

import torch

from .exchange import TRAFFIC, Group
from .jobs import everyone_s

# Members of a group; whether all send to all, or the first of a group to the others; bytes of a message.
CASES = [
    (members, together, size)
    for members, together in ((2, False), (2, True), (4, True))
    for size in (8, 1 << 14, 1 << 17, 1 << 20, 1 << 22)
]
EXCHANGES = 24
# Of the rank's thread between two exchanges, in turn: what lies between those of a layer, forward and backward.
WORK_MS = (3, 10, 5, 15)


def crowded(rank, members, together, size):
    """-> {"exchanges", "ends", "bytes", "threadMs": of its thread inside exchanges, "workMs": of its thread between
    them, "besideMs": of all its other threads, "cpuS", "wallS", "everyoneS": of all programs} of this rank."""
    first = rank // members * members
    group, everyone = Group(range(first, first + members), rank), Group(range(4), rank)
    tensor = torch.ones(size // 4)
    # With a new buffer each time, as layouts have it.
    meet = group.all_gather if together else group.broadcast
    left, right = torch.ones(256, 256), torch.ones(256, 256)
    together_again = lambda: everyone.sum_integers(torch.ones(1, dtype=torch.int64), "crowd")
    meet(tensor, "crowd")  # connections
    together_again()
    TRAFFIC.clear()
    wall, all_s, whole, thread = time.perf_counter(), everyone_s(), time.process_time(), time.thread_time()
    for work_ms in itertools.islice(itertools.cycle(WORK_MS), EXCHANGES):
        until = time.thread_time() + work_ms / 1e3
        while time.thread_time() < until:
            torch.mm(left, right)
        meet(tensor, "crowd")
    thread, whole = time.thread_time() - thread, time.process_time() - whole
    out = {
        "exchanges": EXCHANGES,
        "ends": TRAFFIC.ends,
        "bytes": TRAFFIC.bytes,
        "threadMs": TRAFFIC.thread_s * 1e3,
        "workMs": (thread - TRAFFIC.thread_s) * 1e3,
        "besideMs": (whole - thread) * 1e3,
        "cpuS": whole,
    }
    together_again()
    return {**out, "wallS": time.perf_counter() - wall, "everyoneS": everyone_s() - all_s}
