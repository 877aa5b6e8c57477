/**
 * What came of one source: the account of RFC 3550 §6.4.1 and its appendix A.3, for the report that goes back to it.
 */
import { ArrivalJitter, SequenceUnwrapper } from '../media/index.ts';
import type { ReportBlock, SenderInfo } from './rtcp.ts';

export class Reception {
  readonly ssrc: number;
  #ratePerMs: number;
  readonly #unwrapper = new SequenceUnwrapper(16);
  readonly #jitter = new ArrivalJitter();
  #first: number | null = null;
  #highest = 0;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #senderReport: { readonly middle: number; readonly atMs: number } | null = null;

  constructor(ssrc: number, clockRateHz: number) {
    this.ssrc = ssrc;
    this.#ratePerMs = clockRateHz / 1000;
  }

  /** The packet's number, without its wraps. */
  packet(sequence: number, timestamp: number, nowMs: number): number {
    const unwrapped = this.#unwrapper.unwrap(sequence);
    this.#first ??= unwrapped;
    if (this.#received === 0 || unwrapped > this.#highest) this.#highest = unwrapped;
    this.#received += 1;
    this.#jitter.arrived(timestamp / this.#ratePerMs, nowMs);
    return unwrapped;
  }

  /** Timestamps count otherwise from now on. */
  use(clockRateHz: number): void {
    this.#ratePerMs = clockRateHz / 1000;
    this.jumped();
  }

  /** A jump of the timestamp, or of the sender's clock: it is no jitter. */
  jumped(): void {
    this.#jitter.restart();
  }

  senderReport({ ntpSeconds, ntpFraction }: SenderInfo, nowMs: number): void {
    this.#senderReport = { middle: middleOf(ntpSeconds, ntpFraction), atMs: nowMs };
  }

  /** Since the last one. */
  block(nowMs: number): ReportBlock {
    const expected = this.#highest - (this.#first ?? 0) + 1;
    const expectedNow = expected - this.#expectedBefore;
    const lostNow = expectedNow - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    const heard = this.#senderReport;
    return {
      ssrc: this.ssrc,
      fractionLost: expectedNow <= 0 || lostNow <= 0 ? 0 : lostNow / expectedNow,
      lost: expected - this.#received,
      highestSequence: this.#highest,
      jitter: this.#jitter.ms * this.#ratePerMs,
      lastSenderReport: heard?.middle ?? 0,
      delaySince: heard ? ((nowMs - heard.atMs) * 65_536) / 1000 : 0,
    };
  }
}

/** The middle 32 bits of an NTP time. */
export function middleOf(ntpSeconds: number, ntpFraction: number): number {
  return ((ntpSeconds & 0xffff) * 65_536 + (ntpFraction >>> 16)) >>> 0;
}

/** Seconds from 1900 to 1970. */
const NTP_EPOCH_S = 2_208_988_800;

export function ntpOf(unixTimeMs: number): { readonly ntpSeconds: number; readonly ntpFraction: number } {
  const seconds = unixTimeMs / 1000 + NTP_EPOCH_S;
  const whole = Math.floor(seconds);
  return { ntpSeconds: whole % 2 ** 32, ntpFraction: Math.floor((seconds - whole) * 2 ** 32) };
}
