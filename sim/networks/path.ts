import { exponential, normal, type Random } from '../../actors/core/index.ts';
import { GilbertElliott } from './gilbert-elliott.ts';
import type { NetworkProfile } from './profiles.ts';

/** docs/spec/latency-data.md §5.3: jitter is lognormal, truncated at 300 ms; its shape is ours. */
const JITTER_SIGMA = 1;
const MAX_JITTER_MS = 300;
const P95_OF_NORMAL = 1.6449;
const HANDOVER_MS = [50, 200] as const;
/**
 * docs/spec/latency-data.md §5.5: a lost segment is noticed a quarter of a round trip after the next one was
 * acknowledged,
 */
const NOTICED_ROUND_TRIPS = 1.25;
/** that is asked for after two round trips where nothing else is sent, */
const PROBE_ROUND_TRIPS = 2;
/** and one that is lost again after a timeout that doubles. */
const LEAST_TIMEOUT_MS = 200;
const MAX_TIMEOUTS = 6;

/** One direction of a network. `reliable`: in order, and a loss costs the time until it is repeated (TCP). */
export class Path {
  lost = 0;
  sent = 0;
  readonly #profile: NetworkProfile;
  readonly #packetMs: number;
  readonly #isReliable: boolean;
  readonly #repeats: Random;
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

  /** @param packetMs how far apart packets are sent */
  constructor(random: Random, profile: NetworkProfile, packetMs: number, isReliable: boolean) {
    this.#packetMs = packetMs;
    this.#repeats = random.split('repeats');
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
    const repeatedMs = isLost ? this.#repeatedMs() : 0;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs + repeatedMs);
    return this.#lastArrivalMs;
  }

  /** How much later a lost segment comes. */
  #repeatedMs(): number {
    const roundTripMs = 2 * this.#profile.baseMs;
    let lateMs =
      Math.min(this.#packetMs, PROBE_ROUND_TRIPS * roundTripMs) + NOTICED_ROUND_TRIPS * roundTripMs;
    let timeoutMs = Math.max(LEAST_TIMEOUT_MS, 2 * roundTripMs);
    for (let times = 0; times < MAX_TIMEOUTS && this.#repeats.next() < this.#profile.loss; times++) {
      lateMs += timeoutMs;
      timeoutMs *= 2;
    }
    return lateMs;
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
