import { Subject } from 'rxjs';
import type { Clock } from '../../actors/core/index.ts';
import type { Played, Speaker } from '../../actors/index.ts';

const RATE_PER_MS = 24;

/**
 * A loudspeaker with a queue of its own, on the clock: what it has played is true, whatever anybody thinks. Tells it
 * every `everyMs`.
 */
export class SpeakerDevice implements Speaker {
  readonly latencyMs: number;
  readonly leadMs?: number;
  readonly calls: string[] = [];
  readonly played$ = new Subject<Played>();
  readonly playedOf = new Map<string, number>();
  readonly levels: number[] = [];
  readonly #clock: Clock;
  readonly #everyMs: number;
  #queue: { itemId: string; left: number; dueMs: number }[] = [];
  #stopped = false;

  constructor(clock: Clock, options: { latencyMs?: number; leadMs?: number; everyMs?: number } = {}) {
    this.#clock = clock;
    this.latencyMs = options.latencyMs ?? 0;
    if (options.leadMs !== undefined) this.leadMs = options.leadMs;
    this.#everyMs = options.everyMs ?? Number.POSITIVE_INFINITY;
    this.#tick(1);
  }

  write(itemId: string, samples: Float32Array): void {
    this.levels.push(samples.at(-1)!);
    this.#queue.push({ itemId, left: samples.length, dueMs: this.#clock.nowMs() + this.latencyMs });
  }

  end(itemId: string): void {
    this.calls.push(`end ${itemId}`);
  }

  duck(gainDb: number): void {
    this.calls.push(`duck ${gainDb}`);
  }

  pause(): void {
    this.calls.push('pause');
    this.#stopped = true;
  }

  resume(): void {
    this.calls.push('resume');
    this.#stopped = false;
  }

  flush(): void {
    this.calls.push('flush');
    this.#queue = [];
    this.#stopped = false;
  }

  /** A millisecond at a time. */
  #tick(passedMs: number): void {
    this.#clock.setTimer(1, () => {
      if (!this.#stopped) this.#play();
      if (passedMs % this.#everyMs === 0) this.#tell();
      this.#tick(passedMs + 1);
    });
  }

  #play(): void {
    let room = RATE_PER_MS;
    while (room > 0 && this.#queue.length > 0 && this.#queue[0].dueMs < this.#clock.nowMs()) {
      const [head] = this.#queue;
      const part = Math.min(room, head.left);
      head.left -= part;
      room -= part;
      this.playedOf.set(head.itemId, (this.playedOf.get(head.itemId) ?? 0) + part);
      if (head.left === 0) this.#queue.shift();
    }
  }

  #tell(): void {
    for (const [itemId, samples] of this.playedOf)
      this.played$.next({ itemId, samples, atMs: this.#clock.nowMs() });
  }
}
