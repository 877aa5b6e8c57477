"""How much memory a piece of code takes, as PyTorch's own allocator reports it (every allocation and release, not an estimate)."""
import torch
from torch.profiler import ProfilerActivity, profile


def allocations(function):
    """-> (what `function` returned, [bytes held beyond the beginning, after each event])."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as observed:
        result = function()
    events = [e for e in observed.profiler.kineto_results.events() if e.name() == "[memory]"]
    held, course = 0, []
    for event in sorted(events, key=lambda e: e.start_us()):
        held += event.nbytes()
        course.append(held)
    return result, course


def peak(function):
    """-> (what `function` returned, most bytes held beyond the beginning, bytes still held at the end)."""
    result, course = allocations(function)
    return result, max(course, default=0), course[-1] if course else 0


def held_by(tensors):
    """Bytes of the storages behind these tensors, each once."""
    return sum({t.storage().data_ptr(): t.storage().nbytes() for t in tensors if isinstance(t, torch.Tensor)}.values())
