"""What a rank did when: read by the measurements, drawn by the trace. Nothing is kept unless it is switched on."""

import time
from contextlib import contextmanager

from .exchange import TRAFFIC


class Recorder:
    def __init__(self):
        self.spans, self.on = [], False

    @contextmanager
    def span(self, name, **about):
        if not self.on:
            yield
            return
        epoch, wall, cpu, thread, sent = (
            time.time(),
            time.perf_counter(),
            time.process_time(),
            time.thread_time(),
            TRAFFIC.thread_s,
        )
        yield
        thread, sent = time.thread_time() - thread, TRAFFIC.thread_s - sent
        self.spans.append(
            {
                "name": name,
                "begin_us": epoch * 1e6,
                "end_us": time.time() * 1e6,
                "wall_ms": (time.perf_counter() - wall) * 1e3,
                "cpu_ms": (time.process_time() - cpu) * 1e3,
                # Of this thread alone, without what exchanges took of it: what the operator would take by itself.
                "thread_ms": thread * 1e3,
                "own_ms": (thread - sent) * 1e3,
                **about,
            }
        )


RECORDER = Recorder()
