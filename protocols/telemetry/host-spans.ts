/**
 * What a host did for other processes' turns: one span for each turn and component, a child of the turn's own, from its
 * first step here to its last.
 */
import type { Clock, Timer } from '../../actors/core/clock.ts';
import type { SpanExporter } from './otlp.ts';

/** A turn without a step for so long is told; what comes later is a span of its own. */
const IDLE_MS = 1000;
/** Turns at a time; of more nothing is told. */
const MAX_TURNS = 4096;

export interface HostSpansOptions {
  /** Each is told. */
  readonly exporters: readonly Pick<SpanExporter, 'part'>[];
  readonly clock: Pick<Clock, 'nowMs' | 'setTimer'>;
  readonly component: string;
  readonly host: string;
}

interface Part {
  readonly startMs: number;
  endMs: number;
  steps: number;
  busyMs: number;
}

export class HostSpans {
  readonly #options: HostSpansOptions;
  readonly #parts = new Map<string, Part>();
  #timer: Timer | null = null;

  constructor(options: HostSpansOptions) {
    this.#options = options;
  }

  step(batch: readonly object[], beganMs: number, tookMs: number): void {
    for (const { traceparent } of batch as readonly { readonly traceparent?: unknown }[])
      if (typeof traceparent === 'string') this.#add(traceparent, beganMs, tookMs);
    if (this.#parts.size > 0)
      this.#timer ??= this.#options.clock.setTimer(IDLE_MS, () => this.#tell(IDLE_MS));
  }

  /** Tells what there is. */
  close(): void {
    this.#timer?.cancel();
    this.#tell(0);
  }

  #add(traceparent: string, beganMs: number, tookMs: number): void {
    if (!this.#parts.has(traceparent) && this.#parts.size >= MAX_TURNS) return;
    const part = this.#parts.get(traceparent) ?? { startMs: beganMs, endMs: 0, steps: 0, busyMs: 0 };
    this.#parts.set(traceparent, part);
    part.endMs = beganMs + tookMs;
    part.steps += 1;
    part.busyMs += tookMs;
  }

  #tell(idleMs: number): void {
    const { exporters, clock, component, host } = this.#options;
    this.#timer = null;
    const nowMs = clock.nowMs();
    for (const [traceparent, { startMs, endMs, steps, busyMs }] of this.#parts) {
      if (nowMs - endMs < idleMs) continue;
      this.#parts.delete(traceparent);
      const attributes = { 'longcat.host': host, 'longcat.steps': steps, 'longcat.busy_ms': busyMs };
      for (const exporter of exporters)
        exporter.part({ traceparent, name: component, startMs, endMs, attributes });
    }
    if (this.#parts.size > 0 && idleMs > 0) this.#timer = clock.setTimer(IDLE_MS, () => this.#tell(IDLE_MS));
  }
}
