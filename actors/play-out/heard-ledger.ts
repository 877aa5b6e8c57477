/**
 * What really left towards the ear, per item, in samples (ARCHITECTURE.md §4 "Truth").
 *
 * The far queue is modelled: samples sent at time t play after everything sent before, or at once when the queue had
 * run dry. Reports of the transport (marks, page acknowledgements) can only lower the estimate; between two reports it
 * advances no faster than time. An item is closed by `freeze`: what was not heard until then never will be.
 */
import type { Clock } from '../core/clock.ts';

interface Entry {
  sent: number;
  /** Clock time at which the far queue will have played everything sent of this item. */
  playEndMs: number;
  /** Runs of samples that play without a break, newest last. */
  readonly runs: { readonly firstSample: number; readonly startMs: number }[];
  report: { readonly samples: number; readonly atMs: number } | null;
  /** Set once; reports may still lower it. */
  frozen: number | null;
}

export class HeardLedger {
  readonly #clock: Clock;
  readonly #samplesPerMs: number;
  readonly #entries = new Map<string, Entry>();
  #playEndMs = 0;

  constructor(clock: Clock, sampleRate: number) {
    this.#clock = clock;
    this.#samplesPerMs = sampleRate / 1000;
  }

  /** Samples of an item that are handed to the transport now. Returns the time at which the first of them plays. */
  sent(itemId: string, samples: number): number {
    const now = this.#clock.nowMs();
    let entry = this.#entries.get(itemId);
    if (!entry) {
      entry = { sent: 0, playEndMs: now, runs: [], report: null, frozen: null };
      this.#entries.set(itemId, entry);
    }
    const startMs = Math.max(now, this.#playEndMs);
    if (entry.runs.length === 0 || startMs > entry.playEndMs) {
      entry.runs.push({ firstSample: entry.sent, startMs });
    }
    entry.sent += samples;
    entry.playEndMs = startMs + samples / this.#samplesPerMs;
    this.#playEndMs = entry.playEndMs;
    return startMs;
  }

  /** The transport's word; clamped to what was sent, never going back. */
  report(itemId: string, samples: number): void {
    const entry = this.#entries.get(itemId);
    if (!entry) return;
    const clamped = Math.min(entry.sent, Math.max(entry.report?.samples ?? 0, Math.floor(samples)));
    entry.report = { samples: clamped, atMs: this.#clock.nowMs() };
    if (entry.frozen !== null) entry.frozen = Math.min(entry.frozen, clamped);
  }

  sentSamples(itemId: string): number {
    return this.#entries.get(itemId)?.sent ?? 0;
  }

  /** Samples of the item heard until now. */
  heardSamples(itemId: string): number {
    const entry = this.#entries.get(itemId);
    if (!entry) return 0;
    if (entry.frozen !== null) return entry.frozen;
    const now = this.#clock.nowMs();
    const modelled = this.#modelled(entry, now);
    if (!entry.report) return modelled;
    const reported = entry.report.samples + Math.floor((now - entry.report.atMs) * this.#samplesPerMs);
    return Math.min(modelled, reported);
  }

  /** Ends the item's account at what was heard until now, or at `atMost` if that is less. Returns it. */
  freeze(itemId: string, atMost = Number.POSITIVE_INFINITY): number {
    const entry = this.#entries.get(itemId);
    if (!entry) return 0;
    entry.frozen = Math.max(0, Math.min(this.heardSamples(itemId), Math.floor(atMost)));
    return entry.frozen;
  }

  /** The far queue was thrown away: what is sent next plays at once. */
  cleared(): void {
    this.#playEndMs = this.#clock.nowMs();
  }

  /** Milliseconds of sound that wait in the far queue. */
  aheadMs(): number {
    return Math.max(0, this.#playEndMs - this.#clock.nowMs());
  }

  forget(itemId: string): void {
    this.#entries.delete(itemId);
  }

  #modelled(entry: Entry, nowMs: number): number {
    for (let i = entry.runs.length - 1; i >= 0; i--) {
      const run = entry.runs[i];
      if (nowMs < run.startMs) continue;
      const end = entry.runs[i + 1]?.firstSample ?? entry.sent;
      // Half a sample of slack: times are sums of fractions.
      return Math.min(end, run.firstSample + Math.floor((nowMs - run.startMs) * this.#samplesPerMs + 0.5));
    }
    return 0;
  }
}
