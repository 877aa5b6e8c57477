/**
 * False cut-offs against delay: silence alone at fixed thresholds, and the runtime as it is with the model's estimate.
 */

import type { VirtualClock } from '../../actors/core/index.ts';
import type { SessionSettings, TurnDetection } from '../../actors/session-api.ts';
import type { House } from '../../cli/house.ts';
import { FRAME, type Spoken } from './material.ts';

export interface Endpoint {
  /** A turn was ended before its last word. */
  readonly isCutOff: boolean;
  /** From the end of the last word to the endpoint of the turn that holds it; null where none came. */
  readonly delayMs: number | null;
  readonly firstAudioMs: number | null;
  readonly speculations: number;
}

/** The same policies on lines of either kind. */
export interface Halves {
  readonly policy: string;
  readonly wide: Point;
  readonly telephone: Point;
}

export function halvesOf(policy: string, turns: readonly Spoken[], ends: readonly Endpoint[]): Halves {
  const half = (telephone: boolean) =>
    pointOf(
      policy,
      ends.filter((_, i) => turns[i].telephone === telephone),
    );
  return { policy, wide: half(false), telephone: half(true) };
}

export interface Point {
  readonly policy: string;
  readonly turns: number;
  readonly falseCutOffs: number;
  readonly meanDelayMs: number;
  readonly p50DelayMs: number;
  readonly p90DelayMs: number;
  readonly unanswered: number;
  readonly speculationsPerTurn: number;
}

/** One turn through a session of its own. */
export async function endpointOf(house: House, turn: Spoken, detection: TurnDetection): Promise<Endpoint> {
  const clock = house.clock as VirtualClock;
  const settings: Partial<SessionSettings> = {
    ...house.sessionDefaults,
    turnDetection: detection,
    delivery: { mode: 'paced', leadMs: 20 },
    maxReplySteps: 8,
  };
  const session = house.runtime.openSession(settings);
  const ends: number[] = [];
  let firstAudioMs: number | null = null;
  let endpointAtMs = 0;
  let speculations = 0;
  const subscription = session.events$.subscribe(event => {
    if (event.type === 'speech.stopped') {
      ends.push(event.audioEndMs);
      endpointAtMs = clock.nowMs();
    }
    if (event.type === 'state' && event.state === 'speculating') speculations += 1;
    if (event.type === 'response.audio' && ends.length > 0) firstAudioMs ??= clock.nowMs() - endpointAtMs;
  });
  for (let at = 0; at + FRAME <= turn.samples.length; at += FRAME) {
    session.send({ type: 'audio', samples: turn.samples.slice(at, at + FRAME) });
    await clock.runFor(20);
    const last = ends.at(-1);
    if (last !== undefined && last > turn.speechEndMs) break;
  }
  subscription.unsubscribe();
  session.close('measured');
  await clock.runFor(1);
  return endpointOfEnds(turn, ends, firstAudioMs, speculations);
}

/** @param ends endpoints, in milliseconds of the audio */
export function endpointOfEnds(
  turn: Pick<Spoken, 'speechEndMs'>,
  ends: readonly number[],
  firstAudioMs: number | null,
  speculations: number,
): Endpoint {
  const isCutOff = ends.some(end => end < turn.speechEndMs - CONTAINED_MS);
  const right = ends.find(end => end >= turn.speechEndMs - CONTAINED_MS);
  const delayMs = right === undefined ? null : right - turn.speechEndMs;
  return { isCutOff, delayMs, firstAudioMs, speculations };
}

/** The tail of a last word may be too quiet to count. */
const CONTAINED_MS = 100;

export function pointOf(policy: string, endpoints: readonly Endpoint[]): Point {
  const delays = endpoints
    .filter(end => !end.isCutOff && end.delayMs !== null)
    .map(end => end.delayMs as number)
    .sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(delays[Math.min(delays.length - 1, Math.floor(share * delays.length))]);
  return {
    policy,
    turns: endpoints.length,
    falseCutOffs: endpoints.filter(end => end.isCutOff).length / endpoints.length,
    meanDelayMs: Math.round(delays.reduce((sum, delay) => sum + delay, 0) / delays.length),
    p50DelayMs: at(0.5),
    p90DelayMs: at(0.9),
    unanswered: endpoints.filter(end => end.delayMs === null).length,
    speculationsPerTurn: endpoints.reduce((sum, end) => sum + end.speculations, 0) / endpoints.length,
  };
}
