/**
 * When a picture was taken, on the session's clock. The sender's reports say what wall time the timestamps of its sound
 * and of its pictures are (RFC 3550 §6.4.1); the sound's arrival says what that wall time is here. So a picture stands
 * where the sound of its moment stands, whatever longer way it took.
 */
import type { SenderReport } from './peer.ts';

const CLOCKS_HZ = { audio: 48_000, video: 90_000 } as const;
type Kind = keyof typeof CLOCKS_HZ;

/** The mean delay follows by a thirty-second of each packet's. */
const FOLLOW = 1 / 32;
/** A picture that claims to be older, or to come from the future, is taken as of now. */
const OLDEST_MS = 5000;
/** Streams of one call. */
const MAX_STREAMS = 4;
const WRAP = 2 ** 32;

export class CaptureClock {
  readonly #reports = new Map<number, SenderReport>();
  /** From the sender's wall to the session's clock, in the mean of what arrives. */
  #offsetMs: number | null = null;

  report(report: SenderReport): void {
    this.#reports.delete(report.ssrc);
    this.#reports.set(report.ssrc, report);
    if (this.#reports.size > MAX_STREAMS) this.#reports.delete(this.#reports.keys().next().value!);
  }

  /** Sound that was taken at this timestamp arrived now. */
  heard(ssrc: number, timestamp: number, nowMs: number): void {
    const wallMs = this.#wallMs('audio', ssrc, timestamp);
    if (wallMs === null) return;
    const offsetMs = nowMs - wallMs;
    const isFar = this.#offsetMs === null || Math.abs(offsetMs - this.#offsetMs) > OLDEST_MS;
    this.#offsetMs = isFar ? offsetMs : this.#offsetMs! + (offsetMs - this.#offsetMs!) * FOLLOW;
  }

  /** Session time at which a picture of this timestamp was taken; now, where the sender has not said enough. */
  capturedAtMs(ssrc: number, timestamp: number, nowMs: number): number {
    const wallMs = this.#wallMs('video', ssrc, timestamp);
    if (wallMs === null || this.#offsetMs === null) return nowMs;
    const atMs = wallMs + this.#offsetMs;
    return atMs > nowMs || atMs < nowMs - OLDEST_MS ? nowMs : Math.max(0, atMs);
  }

  #wallMs(kind: Kind, ssrc: number, timestamp: number): number | null {
    const report = this.#reports.get(ssrc);
    if (!report) return null;
    const ahead = (timestamp - report.timestamp) % WRAP;
    const ticks = ahead >= WRAP / 2 ? ahead - WRAP : ahead < -WRAP / 2 ? ahead + WRAP : ahead;
    return report.wallMs + (ticks * 1000) / CLOCKS_HZ[kind];
  }
}
