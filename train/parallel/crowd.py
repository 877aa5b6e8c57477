"""What an exchange takes of the processors where ranks outnumber them, measured by itself: no layout is run. Four ranks
compute for a while, exchange, and compute again, in groups and sizes in which layouts exchange."""

import time

import torch

from .exchange import TRAFFIC, Group, exchange
from .jobs import everyone_s

# Members of a group; whether all send to all, or the first of a group to the others; bytes of a message.
CASES = [
    (members, together, size)
    for members, together in ((2, True), (2, False), (4, True), (4, False))
    for size in (8, 1 << 14, 1 << 17, 1 << 20, 1 << 22)
]
EXCHANGES = 24
# Of the rank's thread between two exchanges: a part of a layer.
WORK_MS = 4


def crowded(rank, members, together, size):
    """-> {"exchanges", "ends", "bytes", "threadMs": of its thread inside exchanges, "workMs": of its thread between
    them, "besideMs": of all its other threads, "cpuS", "wallS", "everyoneS": of all programs} of this rank."""
    first = rank // members * members
    ranks = range(first, first + members)
    tensor = torch.ones(size // 4)
    receives = {r: torch.empty_like(tensor) for r in (ranks if together else [first]) if r != rank}
    sends = {r: tensor for r in ranks if r != rank} if together or rank == first else {}
    left, right = torch.ones(256, 256), torch.ones(256, 256)
    everyone = Group(range(4), rank)
    together_again = lambda: everyone.sum_integers(torch.ones(1, dtype=torch.int64), "crowd")
    exchange(sends, receives, "crowd")  # connections
    together_again()
    TRAFFIC.clear()
    wall, all_s, whole, thread = time.perf_counter(), everyone_s(), time.process_time(), time.thread_time()
    for _ in range(EXCHANGES):
        until = time.thread_time() + WORK_MS / 1e3
        while time.thread_time() < until:
            torch.mm(left, right)
        exchange(sends, receives, "crowd")
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
