/**
 * A door: one way for a caller to reach a session, be it a wire protocol on the shared HTTP host (Realtime, the
 * carriers' media streams) or a listener of its own (AudioSocket). All doors share one context and hold the same
 * sessions.
 */
import type { Clock } from '../actors/core/clock.ts';
import type { Logger } from '../actors/core/logger.ts';
import type { Runtime, SessionSettings } from '../actors/session-api.ts';
import type { CallEvents } from './call-events.ts';
import type { WatchLimits, WorkQuota } from './guard/index.ts';
import type { Authentication } from './server/authentication.ts';
import type { HttpHost } from './server/http-host.ts';
import type { Metrics } from './server/metrics.ts';
import type { Readiness } from './server/readiness.ts';
import type { Switchboard } from './switchboard.ts';

export interface Door {
  readonly name: string;
  /** Registers routes, or listens. Called once, before the host listens. */
  open(context: DoorContext): Promise<OpenDoor> | OpenDoor;
}

export interface OpenDoor {
  /** Takes no more callers and ends those it has. */
  close(): Promise<void> | void;
}

export interface DoorLimits extends WatchLimits {
  /** Bytes a peer may leave unread before it loses its connection. */
  readonly maxUnsentBytes: number;
}

export interface DoorContext {
  readonly host: HttpHost;
  readonly runtime: Runtime;
  /** The operator's settings, with which every session starts. */
  readonly sessionDefaults: Partial<SessionSettings>;
  readonly modelName: string;
  readonly clock: Clock;
  /** Unix time in milliseconds. */
  readonly unixTimeMs: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly authentication: Authentication;
  /** One for all, so that it can divide a turn of the event loop. */
  readonly quota: WorkQuota;
  readonly limits: DoorLimits;
  readonly switchboard: Switchboard;
  /** Told what happens in telephone calls; absent: nobody. */
  readonly callEvents?: CallEvents;
}
