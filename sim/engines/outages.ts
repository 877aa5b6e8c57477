/** Times at which the language model's host is away: it comes back without its caches. */
import { MAX_WAIT_MS } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

export interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
}

export class Outages {
  readonly #all: readonly Outage[];

  constructor(all: readonly Outage[]) {
    this.#all = [...all].sort((a, b) => a.fromMs - b.fromMs);
  }

  /** The one that began last; null before the first. */
  latest(nowMs: number): Outage | null {
    return this.#all.findLast(({ fromMs }) => fromMs <= nowMs) ?? null;
  }

  /** When the next one begins; infinity after the last. */
  nextMs(nowMs: number): number {
    return this.#all.find(({ fromMs }) => fromMs > nowMs)?.fromMs ?? Number.POSITIVE_INFINITY;
  }
}

/** When the runtime's supervisor refuses what waits for the host. */
export const refusalMs = ({ fromMs }: Outage): number => fromMs + MAX_WAIT_MS;

/** As the engine says it of a component that was started again (kernels/engine). */
export function streamLost(): never {
  throw new RuntimeError('engine.stream-lost', 'The component does not know the stream.');
}

/** The code of what ends a session that waited too long for the host. */
export const HOST_AWAY = 'engine.component-down';

export function hostAway(): never {
  throw new RuntimeError(HOST_AWAY, 'A component of the runtime is down.', { component: 'language-model' });
}
