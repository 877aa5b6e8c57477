"""How much memory a piece of code takes, as PyTorch's own allocator reports it (every allocation and release, not an
estimate)."""

import bisect

from torch.profiler import ProfilerActivity, profile


def allocations(function):
    """-> (what `function` returned, [(microseconds since the epoch, bytes held beyond the beginning)], one an
    event)."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as observed:
        result = function()
    events = [e for e in observed.profiler.kineto_results.events() if e.name() == "[memory]"]
    held, course = 0, []
    for event in sorted(events, key=lambda e: e.start_us()):
        held += event.nbytes()
        course.append((event.start_us(), held))
    return result, course


def peak(function):
    """-> (what `function` returned, most bytes held beyond the beginning, bytes still held at the end)."""
    result, course = allocations(function)
    return result, max((held for _, held in course), default=0), course[-1][1] if course else 0


def by_span(spans, course):
    """Gives each span what it kept (`held`) and the most that it had beyond its beginning (`most`), in bytes."""
    times = [at for at, _ in course]
    for span in spans:
        first, last = (bisect.bisect_left(times, span[key]) for key in ("begin_us", "end_us"))
        begin = course[first - 1][1] if first else 0
        inside = [held - begin for _, held in course[first:last]]
        span["held"], span["most"] = (inside[-1], max(inside)) if inside else (0, 0)
    return spans


def held_by(tensors):
    """Bytes of the storages behind these tensors, each once."""
    return sum({t.storage().data_ptr(): t.storage().nbytes() for t in tensors}.values())
