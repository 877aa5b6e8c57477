/**
 * What really left towards the ear, per item, in samples (ARCHITECTURE.md §4 "Truth").
 *
 * The far queue is modelled: samples sent at time t play after everything sent before, or at once when the queue had
 * run dry. What the far end itself says (a speaker, marks, page acknowledgements, a client's truncate) counts up to
 * what was sent: it may play faster than the model, or have started later. Between two reports the account advances no
 * faster than time. An item is closed by `freeze` or `stoppedAt`: what was not heard until then never will be, and no
 * longer keeps the queue busy.
 */
import type { Clock } from '../core/clock.ts';

/** Samples that play without a break. */
interface Run {
  firstSample: number;
  startMs: number;
}

interface LedgerItem {
  sent: number;
  /** When the first of them plays. */
  firstMs: number;
  /** Clock time at which the far queue will have played everything sent of this item. */
  playEndMs: number;
  /** Newest last. */
  runs: Run[];
  report: { readonly samples: number; readonly atMs: number } | null;
  /** Set once; reports may still lower it. */
  frozen: number | null;
  /** The far end itself said where it stopped. */
  told: boolean;
}

export class HeardLedger {
  readonly #clock: Clock;
  readonly #samplesPerMs: number;
  readonly #latencyMs: number;
  readonly #entries = new Map<string, LedgerItem>();
  #playEndMs = 0;
  /** The far queue stands still since then. */
  #pausedAtMs: number | null = null;

  /** `latencyMs`: from the far queue to the ear. */
  constructor(clock: Clock, sampleRate: number, latencyMs = 0) {
    this.#clock = clock;
    this.#samplesPerMs = sampleRate / 1000;
    this.#latencyMs = latencyMs;
  }

  /** Samples of an item that are handed to the transport now. Returns the time at which the first of them plays. */
  sent(itemId: string, samples: number): number {
    const now = this.#nowMs();
    const startMs = Math.max(now + this.#latencyMs, this.#playEndMs);
    let entry = this.#entries.get(itemId);
    if (!entry) {
      entry = {
        sent: 0,
        firstMs: startMs,
        playEndMs: now,
        runs: [],
        report: null,
        frozen: null,
        told: false,
      };
      this.#entries.set(itemId, entry);
    }
    if (entry.runs.length === 0 || startMs > entry.playEndMs) {
      entry.runs.push({ firstSample: entry.sent, startMs });
    }
    entry.sent += samples;
    entry.playEndMs = startMs + samples / this.#samplesPerMs;
    this.#playEndMs = entry.playEndMs;
    return startMs;
  }

  /**
   * The far end's word: so much of the item was heard, the last of it at `heardAtMs`. Clamped to what was sent, never
   * going back.
   */
  report(itemId: string, samples: number, heardAtMs = this.#nowMs()): void {
    const atMs = Math.min(heardAtMs, this.#pausedAtMs ?? heardAtMs);
    const entry = this.#entries.get(itemId);
    if (!entry || entry.told) return;
    // An older one that comes late says nothing new.
    if (samples < (entry.report?.samples ?? 0)) return;
    const clamped = Math.min(entry.sent, Math.max(0, Math.floor(samples)));
    entry.report = { samples: clamped, atMs };
    // A mark that comes back after a clear may be of sound that was thrown away: it takes away only.
    if (entry.frozen !== null) entry.frozen = Math.min(entry.frozen, clamped);
    else if (clamped > this.#modelled(entry, atMs)) this.#playsOnFrom(entry, clamped, atMs);
  }

  /** The far end knows when the first of the item was heard. */
  firstPlayed(itemId: string, atMs: number): void {
    const entry = this.#entries.get(itemId);
    if (entry) entry.firstMs = atMs;
  }

  sentSamples(itemId: string): number {
    return this.#entries.get(itemId)?.sent ?? 0;
  }

  /** When the first sample of the item played or will play, as far as is known by now. */
  firstPlaysAtMs(itemId: string): number | null {
    return this.#entries.get(itemId)?.firstMs ?? null;
  }

  /** Samples of the item heard until now. */
  heardSamples(itemId: string): number {
    const entry = this.#entries.get(itemId);
    if (!entry) return 0;
    if (entry.frozen !== null) return entry.frozen;
    const now = this.#nowMs();
    const modelled = this.#modelled(entry, now);
    if (!entry.report) return modelled;
    const reported = entry.report.samples + Math.floor((now - entry.report.atMs) * this.#samplesPerMs);
    return Math.min(modelled, Math.max(0, reported));
  }

  /** Ends the item's account at what was heard until now. Returns it. */
  freeze(itemId: string): number {
    const entry = this.#entries.get(itemId);
    if (!entry) return 0;
    entry.frozen = this.heardSamples(itemId);
    return entry.frozen;
  }

  /**
   * The far end's own word: it stopped playing the item after so many samples. This counts up to what was sent,
   * whatever was assumed before; a second word can only take away. What was left of the item leaves the far queue.
   * Returns what counts.
   */
  stoppedAt(itemId: string, samples: number): number {
    const entry = this.#entries.get(itemId);
    if (!entry) return 0;
    const most = entry.told ? this.heardSamples(itemId) : entry.sent;
    entry.frozen = Math.max(0, Math.min(most, Math.floor(samples)));
    entry.told = true;
    const now = this.#nowMs();
    const restStartMs = Math.max(now, entry.runs.at(-1)?.startMs ?? now);
    if (entry.playEndMs > restStartMs) {
      this.#moveUp(entry.playEndMs, restStartMs, now);
      entry.playEndMs = restStartMs;
    }
    return entry.frozen;
  }

  /** The far queue was thrown away: what is sent next plays at once. */
  cleared(): void {
    this.#pausedAtMs = null;
    const now = this.#clock.nowMs();
    this.#playEndMs = now;
    for (const entry of this.#entries.values()) entry.playEndMs = Math.min(entry.playEndMs, now);
  }

  /** The far queue stands still: nothing more is heard until `resumed`. */
  paused(): void {
    this.#pausedAtMs ??= this.#clock.nowMs();
  }

  /** What was to play plays later by as long as it stood still. */
  resumed(): void {
    if (this.#pausedAtMs === null) return;
    const pausedAtMs = this.#pausedAtMs;
    const stoodMs = this.#clock.nowMs() - pausedAtMs;
    this.#pausedAtMs = null;
    this.#playEndMs += stoodMs;
    for (const entry of this.#entries.values()) {
      // What has been played stays so: its runs and its report are as far behind as before.
      for (const run of entry.runs) run.startMs += stoodMs;
      if (entry.report) entry.report = { ...entry.report, atMs: entry.report.atMs + stoodMs };
      if (entry.firstMs >= pausedAtMs) entry.firstMs += stoodMs;
      entry.playEndMs += stoodMs;
    }
  }

  /** Milliseconds of sound that wait in the far queue. */
  aheadMs(): number {
    return Math.max(0, this.#playEndMs - this.#latencyMs - this.#nowMs());
  }

  forget(itemId: string): void {
    this.#entries.delete(itemId);
  }

  /** The time of the far queue. */
  #nowMs(): number {
    return this.#pausedAtMs ?? this.#clock.nowMs();
  }

  /** The far end is ahead of the model: the rest of the item plays from now on. */
  #playsOnFrom(entry: LedgerItem, heard: number, nowMs: number): void {
    const endMs = nowMs + (entry.sent - heard) / this.#samplesPerMs;
    entry.firstMs = Math.min(entry.firstMs, nowMs);
    entry.runs = [{ firstSample: heard, startMs: nowMs }];
    const beforeMs = entry.playEndMs;
    entry.playEndMs = endMs;
    if (beforeMs > endMs) this.#moveUp(beforeMs, endMs, nowMs);
  }

  /** What was to play from `fromMs` on plays from `toMs` on. */
  #moveUp(fromMs: number, toMs: number, nowMs: number): void {
    const earlier = (atMs: number) => Math.max(nowMs, atMs - (fromMs - toMs));
    // Times are sums of fractions.
    const isBehind = (atMs: number) => atMs >= fromMs - 1e-6;
    for (const entry of this.#entries.values()) {
      if (entry.runs.length === 0 || !isBehind(entry.runs[entry.runs.length - 1].startMs)) continue;
      if (isBehind(entry.firstMs)) entry.firstMs = earlier(entry.firstMs);
      for (const run of entry.runs) if (isBehind(run.startMs)) run.startMs = earlier(run.startMs);
      entry.playEndMs = earlier(entry.playEndMs);
    }
    this.#playEndMs = earlier(this.#playEndMs);
  }

  #modelled(entry: LedgerItem, nowMs: number): number {
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
