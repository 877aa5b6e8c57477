"""BalanceData (docs/spec/model.md §7.4): which rank of an inner group encodes which item. The report does not publish
its heuristic; ours is greedy, longest first, and ties go to the lower rank, so that it depends on the sizes alone."""

from .layout import Refused


def balance(tokens, ranks):
    """tokens[i] of item i -> for each of `ranks` ranks its items, in the order in which they are encoded."""
    placement, load = [[] for _ in range(ranks)], [0] * ranks
    for item in sorted(range(len(tokens)), key=lambda i: (-tokens[i], i)):
        rank = load.index(min(load))
        placement[rank].append(item)
        load[rank] += tokens[item]
    return placement


def check_placement(placement, items, ranks):
    """@raises Refused"""
    if len(placement) != ranks:
        raise Refused(f"a placement for {len(placement)} ranks was given to an inner group of {ranks}")
    placed = sorted(i for mine in placement for i in mine)
    if placed != list(range(items)):
        raise Refused(f"a placement must name each of the items 0 to {items - 1} once; it names {placed}")
    return placement
