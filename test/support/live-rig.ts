/**
 * Clients of the GPT-Live protocol on connections in memory, over the real session and scripted models, under the
 * virtual clock.
 */
import { silentLogger, type VirtualClock } from '../../actors/core/index.ts';
import type { Runtime, SessionSettings } from '../../actors/index.ts';
import type { ConnectionListener } from '../../protocols/connection.ts';
import { WorkQuota } from '../../protocols/guard/index.ts';
import type { LiveContext } from '../../protocols/live/call-options.ts';
import { LiveConnection } from '../../protocols/live/live-connection.ts';
import { Metrics } from '../../protocols/server/metrics.ts';
import type { WireRecord } from './realtime-client.ts';
import { SessionRig } from './session-rig.ts';

export class LiveRig extends SessionRig {
  /** Of the sessions that connect from now on. */
  backend: LiveContext['backend'];

  connect(defaults: Partial<SessionSettings> = {}, limits: Partial<LiveContext['limits']> = {}): LiveClient {
    return new LiveClient(this.clock, {
      ...liveContext(this.runtime, this.clock, limits),
      sessionDefaults: defaults,
      backend: this.backend,
    });
  }

  /** With a session that has started. */
  started(
    session: Readonly<Record<string, unknown>> = {},
    defaults: Partial<SessionSettings> = {},
  ): LiveClient {
    const client = this.connect(defaults);
    client.start(session);
    return client;
  }
}

export function liveContext(
  runtime: Runtime,
  clock: VirtualClock,
  limits: Partial<LiveContext['limits']> = {},
): LiveContext {
  return {
    runtime,
    clock,
    sessionDefaults: {},
    modelName: 'test',
    unixTimeMs: () => 1_800_000_000_000,
    log: silentLogger,
    metrics: new Metrics(runtime),
    quota: new WorkQuota(clock),
    limits: { maxUnsentBytes: Number.MAX_SAFE_INTEGER, idleMs: 1e9, lifetimeMs: 1e9, ...limits },
  };
}

export interface TimedRecord extends WireRecord {
  readonly atMs: number;
}

const PACKET_MS = 20;
const SPEECH_LEVEL = 0.1;

export class LiveClient {
  readonly events: TimedRecord[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  unsentBytes = 0;
  readonly #clock: VirtualClock;
  readonly #listener: ConnectionListener;

  constructor(clock: VirtualClock, context: LiveContext) {
    this.#clock = clock;
    const connection = {
      send: (text: string) => void this.events.push({ ...JSON.parse(text), atMs: clock.nowMs() }),
      unsentBytes: () => this.unsentBytes,
      pauseReading() {},
      close: (code: number, reason: string) => {
        this.closed = { code, reason };
        this.#listener.onClose(code, reason);
      },
    };
    this.#listener = new LiveConnection(connection, context);
  }

  send(event: Readonly<Record<string, unknown>> | string): void {
    this.#listener.onText(typeof event === 'string' ? event : JSON.stringify(event));
  }

  binary(bytes: Buffer): void {
    this.#listener.onBinary(bytes);
  }

  hangUp(): void {
    this.#listener.onClose(1006, '');
  }

  start(session: Readonly<Record<string, unknown>> = {}): void {
    this.send({ type: 'session.start', event_id: 'start', session: { model: 'any', ...session } });
  }

  append(
    kind: 'instructions' | 'thinking' | 'commentary',
    content: string,
    delegation_id: string | null = null,
  ) {
    this.send({ type: `session.${kind}.append`, event_id: `${kind} 1`, content, delegation_id });
  }

  /** Time passes without sound from this client. */
  async wait(ms: number): Promise<void> {
    await this.#clock.runFor(ms);
  }

  async say(ms: number): Promise<void> {
    await this.#push(ms, SPEECH_LEVEL);
  }

  async silence(ms: number): Promise<void> {
    await this.#push(ms, 0);
  }

  all(type: string): TimedRecord[] {
    return this.events.filter(event => event.type === type);
  }

  last(type: string): TimedRecord {
    const found = this.events.findLast(event => event.type === type);
    if (!found) throw new Error(`There was no ${type} among ${this.events.map(event => event.type)}.`);
    return found;
  }

  get errors(): Readonly<Record<string, unknown>>[] {
    return this.all('error').map(({ error }) => error);
  }

  said(side: 'input' | 'output'): string {
    return this.all(`session.${side}_transcript.delta`)
      .map(({ delta }) => delta)
      .join('');
  }

  /** The line's samples (16 bits) so far, and where each delta of it begins. */
  line(): { readonly samples: Int16Array; readonly deltas: { atMs: number; from: number; to: number }[] } {
    const parts: number[] = [];
    const deltas = this.all('session.output_audio.delta').map(({ atMs, delta }) => {
      const bytes = Buffer.from(delta, 'base64');
      const from = parts.length;
      for (let at = 0; at < bytes.length; at += 2) parts.push(bytes.readInt16LE(at));
      return { atMs, from, to: parts.length };
    });
    return { samples: Int16Array.from(parts), deltas };
  }

  async #push(ms: number, level: number): Promise<void> {
    const audio = Buffer.from(new Int16Array(PACKET_MS * 24).fill(level * 32_767).buffer).toString('base64');
    for (let at = 0; at < ms; at += PACKET_MS) {
      await this.wait(PACKET_MS);
      this.send({ type: 'session.input_audio.append', audio });
    }
  }
}
