import { describe, expect, it } from 'vitest';
import { createRandom, integer, type Random, silentLogger } from '../../actors/core/index.ts';
import { createResampler } from '../../kernels/resample/reference.ts';
import { PictureDecoder } from '../../protocols/realtime/pictures.ts';
import { openRealtime, type RealtimeContext } from '../../protocols/realtime/realtime-connection.ts';
import { WorkQuota } from '../../protocols/guard/work-quota.ts';
import { Metrics } from '../../protocols/server/metrics.ts';
import type { ConnectionListener } from '../../protocols/server/socket-server.ts';
import {
  BRISK,
  Ear,
  Interrupter,
  interrupt,
  type Line,
  type LineEvent,
  SCRIPTS,
} from '../support/interruptions.ts';
import { SessionRig } from '../support/session-rig.ts';

/** One in eight of the hundred thousand; see test/actors/interruptions.test.ts. */
const WANTED = Math.ceil(Number(process.env.INTERRUPTIONS ?? 1500) / 8);
const SESSIONS = 60;

/**
 * A client of the Realtime protocol on a network: whole events over a connection in memory, each way late by a constant
 * and a jitter that keeps the order. It stops playing when it is told that somebody speaks, and says how much was
 * heard.
 */
class RealtimeLine implements Line {
  readonly sessionId: string;
  onHeard: (what: LineEvent) => void = () => {};
  readonly #rig: SessionRig;
  readonly #random: Random;
  readonly #listener: ConnectionListener;
  readonly #delayMs: number;
  readonly #ear = new Ear();
  #last: string | null = null;
  #isUnfinished = false;
  #downAtMs = 0;
  #upAtMs = 0;

  constructor(rig: SessionRig, context: RealtimeContext, name: string, random: Random) {
    this.#rig = rig;
    this.#random = random;
    this.#delayMs = integer(random, 150);
    const before = new Set(rig.runtime.sessions.keys());
    const send = (text: string) => this.#later('down', () => this.#receive(JSON.parse(text)));
    const connection = {
      send,
      unsentBytes: () => 0,
      pauseReading() {},
      close: () => this.onHeard({ type: 'error', details: 'closed' }),
    };
    this.#listener = openRealtime(connection, { type: 'realtime', session: null, isBeta: false }, context);
    this.sessionId = [...rig.runtime.sessions.keys()].find(id => !before.has(id)) ?? name;
    this.#send({ type: 'session.update', session: { type: 'realtime', instructions: `${name}.` } });
  }

  push(samples: Float32Array): void {
    this.#send({ type: 'input_audio_buffer.append', audio: encoded(samples) });
  }

  #send(event: unknown): void {
    this.#later('up', () => this.#listener.onText(JSON.stringify(event)));
  }

  #later(way: 'up' | 'down', then: () => void): void {
    const { clock } = this.#rig;
    const dueMs = clock.nowMs() + this.#delayMs + integer(this.#random, 8);
    const atMs = way === 'up' ? Math.max(this.#upAtMs, dueMs) : Math.max(this.#downAtMs, dueMs);
    if (way === 'up') this.#upAtMs = atMs;
    else this.#downAtMs = atMs;
    clock.setTimer(atMs - clock.nowMs(), then);
  }

  // biome-ignore lint/suspicious/noExplicitAny: events of every shape.
  #receive(event: any): void {
    const nowMs = this.#rig.clock.nowMs();
    if (event.type === 'response.created') this.onHeard({ type: 'created' });
    else if (event.type === 'response.output_audio_transcript.delta')
      this.onHeard({ type: 'text', itemId: event.item_id, delta: event.delta });
    else if (event.type === 'response.output_audio.delta')
      this.#ear.hears(event.item_id, (Buffer.from(event.delta, 'base64').length / 48) * 24, nowMs);
    else if (event.type === 'input_audio_buffer.speech_started') this.#stop(nowMs);
    else if (event.type === 'response.output_item.added') this.#begin(event.item.id);
    else if (event.type === 'response.done') this.#isUnfinished = false;
    else if (event.type === 'conversation.item.truncated')
      this.onHeard({ type: 'truncated', itemId: event.item_id, audioEndMs: event.audio_end_ms });
    else if (event.type === 'error') this.onHeard({ type: 'error', details: event.error });
  }

  #begin(itemId: string): void {
    this.#last = itemId;
    this.#isUnfinished = true;
  }

  /** What the protocol asks of a client: play no more, and say how much was heard. */
  #stop(nowMs: number): void {
    const itemId = this.#ear.playing(nowMs) ?? this.#last;
    if (itemId === null) return;
    // An item that was heard as far as it came may still go on.
    const goesOn = this.#ear.playing(nowMs) !== null || this.#isUnfinished;
    const heardMs = this.#ear.clear(itemId, nowMs);
    this.onHeard({ type: 'cleared', itemId, heardMs });
    if (!goesOn) return;
    const audio_end_ms = Math.floor(heardMs);
    this.#send({ type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms });
  }
}

const known = new Map<Float32Array, string>();

/** PCM16 at 24 kHz, base64; people here have few words. */
function encoded(samples: Float32Array): string {
  const before = known.get(samples);
  if (before) return before;
  const resampler = createResampler(16_000, 24_000);
  const wide = [...resampler.push(samples), ...resampler.finish()];
  const audio = Buffer.from(Int16Array.from(wide, value => Math.round(value * 32_767)).buffer);
  known.set(samples, audio.toString('base64'));
  return encoded(samples);
}

async function interruptions(wanted: number, stepMs: number) {
  const rig = new SessionRig({
    replies: SCRIPTS,
    maxPositions: 1500,
    costs: { languageModel: () => stepMs },
    limits: { maxSessions: SESSIONS, maxBatch: SESSIONS, prefillTokenBudget: 100_000 },
  });
  const forever = Number.MAX_SAFE_INTEGER;
  const context: RealtimeContext = {
    runtime: rig.runtime,
    sessionDefaults: { turnDetection: BRISK },
    modelName: 'test',
    clock: rig.clock,
    unixTimeMs: () => 0,
    log: silentLogger,
    metrics: new Metrics(rig.runtime),
    pictures: new PictureDecoder(0),
    quota: new WorkQuota(rig.clock),
    limits: { maxUnsentBytes: forever, idleMs: 1e9, lifetimeMs: 1e9 },
  };
  const random = createRandom(`realtime interruptions ${stepMs}`);
  const people = Array.from({ length: SESSIONS }, (_, i) => {
    const name = `s${String(i).padStart(3, '0')}`;
    const own = random.split(name);
    const line = new RealtimeLine(rig, context, name, own);
    return new Interrupter(rig, own, line, `${name}.`, 20);
  });
  return interrupt(rig, people, wanted);
}

describe(`${WANTED} random interruptions over the Realtime protocol`, () => {
  it.each([
    ['from a model that answers at once', 0],
    ['from a model that still speaks', 40],
  ])(
    'leave no unheard word in the context and know what was heard to 20 ms: %s',
    async (_name, stepMs) => {
      const wanted = Math.ceil(WANTED / 2);
      const { interruptions: done, ...left } = await interruptions(wanted, stepMs);
      expect(left).toEqual({ findings: [], ended: 0, maxErrorMs: expect.any(Number) });
      expect(left.maxErrorMs).toBeLessThanOrEqual(20);
      expect(done).toBeGreaterThanOrEqual(wanted);
    },
    3_600_000,
  );
});
