/**
 * Session timers (RFC 4028): a call whose other end is gone is noticed. The peer refreshes where it will; we do where
 * it asks us to.
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import { parseParams } from './address.ts';
import type { Headers } from './headers.ts';

export const MIN_SE_S = 90;
/** Asked of peers that we call. */
export const OUR_SE_S = 1800;

export interface SessionInterval {
  readonly seconds: number;
  readonly isOurs: boolean;
}

export function sessionExpires(headers: Headers): { seconds: number; refresher: string | undefined } | null {
  const match = /^\s*(\d{1,9})(.*)$/.exec(headers.get('session-expires') ?? '');
  return match ? { seconds: Number(match[1]), refresher: parseParams(match[2]).get('refresher') } : null;
}

/** What we agree to when asked (RFC 4028 §9): null: no timer; 422: it is too short. */
export function agreeToInterval(headers: Headers): SessionInterval | null | 422 {
  const asked = sessionExpires(headers);
  if (!asked) return null;
  if (asked.seconds < MIN_SE_S) return 422;
  // docs/spec/sip.md §2: nothing is asked of a peer within the dialog unless it said that it wants it.
  return { seconds: asked.seconds, isOurs: asked.refresher === 'uas' };
}

/** The fields of an answer that agrees. */
export function intervalFields(interval: SessionInterval | null): [string, string][] {
  if (!interval) return [];
  return [
    ['require', 'timer'],
    ['session-expires', `${interval.seconds};refresher=${interval.isOurs ? 'uas' : 'uac'}`],
  ];
}

export class SessionTimer {
  readonly #clock: Timers;
  readonly #refresh: () => void;
  readonly #expired: () => void;
  #timer: Timer | null = null;

  constructor(clock: Timers, refresh: () => void, expired: () => void) {
    this.#clock = clock;
    this.#refresh = refresh;
    this.#expired = expired;
  }

  /** From now: it was agreed on, or refreshed. Null: the peer wants none. */
  start(interval: SessionInterval | null): void {
    this.stop();
    if (!interval) return;
    const { seconds, isOurs } = interval;
    // RFC 4028 §10: half of it for who refreshes; the other gives up a third, at most 32 s, before the end.
    const waitS = isOurs ? seconds / 2 : seconds - Math.min(32, seconds / 3);
    this.#timer = this.#clock.setTimer(waitS * 1000, isOurs ? this.#refresh : this.#expired);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
