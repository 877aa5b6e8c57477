import { exponential, normal, type Random } from '../../actors/core/index.ts';
import { GilbertElliott } from './gilbert-elliott.ts';
import type { NetworkProfile } from './profiles.ts';

/** docs/spec/latency-data.md §5.3: jitter is lognormal, truncated at 300 ms; its shape is ours. */
const JITTER_SIGMA = 1;
const MAX_JITTER_MS = 300;
const P95_OF_NORMAL = 1.6449;
const HANDOVER_MS = [50, 200] as const;

/** One direction of a network. `reliable`: in order, and a loss costs a round trip instead of the packet (TCP). */
export class Path {
  lost = 0;
  sent = 0;
  readonly #profile: NetworkProfile;
  readonly #isReliable: boolean;
  readonly #jitter: Random;
  readonly #spikes: Random;
  readonly #handovers: Random;
  readonly #losses: GilbertElliott;
  readonly #medianJitterMs: number;
  #nextSpikeMs: number;
  #blockedUntilMs = 0;
  #nextHandoverMs: number;
  #deafUntilMs = 0;
  #lastArrivalMs = 0;

  constructor(random: Random, profile: NetworkProfile, isReliable: boolean) {
    this.#profile = profile;
    this.#isReliable = isReliable;
    this.#jitter = random.split('jitter');
    this.#spikes = random.split('spikes');
    this.#handovers = random.split('handovers');
    this.#losses = new GilbertElliott(random.split('loss'), profile.loss, profile.meanBurst);
    this.#medianJitterMs = profile.jitterMs / (Math.exp(P95_OF_NORMAL * JITTER_SIGMA) - 1);
    this.#nextSpikeMs = this.#after(0, this.#spikes, profile.spikesPerMinute);
    this.#nextHandoverMs = this.#after(0, this.#handovers, profile.handoversPerMinute);
  }

  /** When a packet sent at `nowMs` arrives; null when it is lost. Times never decrease from call to call. */
  send(nowMs: number): number | null {
    this.sent += 1;
    const isLost = this.#losses.loses() || this.#isDeaf(nowMs);
    const arrivalMs = Math.max(nowMs + this.#delayMs(), this.#blockedAt(nowMs));
    if (isLost) {
      this.lost += 1;
      if (!this.#isReliable) return null;
    }
    if (!this.#isReliable) return arrivalMs;
    const repeatedMs = isLost ? 2 * this.#profile.baseMs : 0;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs + repeatedMs);
    return this.#lastArrivalMs;
  }

  #delayMs(): number {
    const jitterMs = this.#medianJitterMs * Math.exp(normal(this.#jitter, 0, JITTER_SIGMA));
    return this.#profile.baseMs + Math.min(MAX_JITTER_MS, jitterMs);
  }

  /** A spike holds everything back for a while. */
  #blockedAt(nowMs: number): number {
    while (this.#nextSpikeMs <= nowMs) {
      this.#blockedUntilMs = this.#nextSpikeMs + this.#profile.spikeMs + this.#profile.baseMs;
      this.#nextSpikeMs = this.#after(this.#nextSpikeMs, this.#spikes, this.#profile.spikesPerMinute);
    }
    return this.#blockedUntilMs;
  }

  #isDeaf(nowMs: number): boolean {
    while (this.#nextHandoverMs <= nowMs) {
      const [shortest, longest] = HANDOVER_MS;
      this.#deafUntilMs = this.#nextHandoverMs + shortest + this.#handovers.next() * (longest - shortest);
      this.#nextHandoverMs = this.#after(
        this.#nextHandoverMs,
        this.#handovers,
        this.#profile.handoversPerMinute,
      );
    }
    return nowMs < this.#deafUntilMs;
  }

  #after(fromMs: number, random: Random, perMinute: number): number {
    return perMinute > 0 ? fromMs + exponential(random, 60_000 / perMinute) : Number.POSITIVE_INFINITY;
  }
}
