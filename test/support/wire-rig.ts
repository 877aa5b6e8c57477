/**
 * Clients of the Realtime protocol on connections in memory, over the real session and scripted models, under the
 * virtual clock.
 */
import { silentLogger } from '../../actors/core/index.ts';
import type { SessionSettings } from '../../actors/index.ts';
import { PictureDecoder } from '../../protocols/realtime/pictures.ts';
import { openRealtime, type RealtimeContext } from '../../protocols/realtime/realtime-connection.ts';
import { WorkQuota } from '../../protocols/guard/work-quota.ts';
import { Metrics } from '../../protocols/server/metrics.ts';
import type { ConnectionListener } from '../../protocols/server/socket-server.ts';
import type { WireRecord } from './realtime-client.ts';
import { type RigOptions, SessionRig } from './session-rig.ts';

export class WireRig extends SessionRig {
  readonly metrics = new Metrics(this.runtime);

  connect(defaults: Partial<SessionSettings> = {}): WireClient {
    return new WireClient(this, this.context(defaults));
  }

  context(defaults: Partial<SessionSettings> = {}): RealtimeContext {
    return {
      runtime: this.runtime,
      sessionDefaults: defaults,
      modelName: 'test',
      clock: this.clock,
      unixTimeMs: () => 0,
      log: silentLogger,
      metrics: this.metrics,
      pictures: new PictureDecoder(0),
      quota: new WorkQuota(this.clock),
      limits: { maxUnsentBytes: Number.MAX_SAFE_INTEGER, idleMs: 1e9, lifetimeMs: 1e9 },
    };
  }
}

export const wireRig = (options: RigOptions = {}) => new WireRig(options);

export interface TimedRecord extends WireRecord {
  readonly atMs: number;
}

const PACKET_MS = 20;

export class WireClient {
  readonly events: TimedRecord[] = [];
  closed: string | null = null;
  readonly #rig: WireRig;
  readonly #listener: ConnectionListener;

  constructor(rig: WireRig, context: RealtimeContext) {
    this.#rig = rig;
    const connection = {
      send: (text: string) => void this.events.push({ ...JSON.parse(text), atMs: rig.clock.nowMs() }),
      unsentBytes: () => 0,
      pauseReading() {},
      close: (_code: number, reason: string) => {
        this.closed = reason;
      },
    };
    this.#listener = openRealtime(connection, { type: 'realtime', session: null, isBeta: false }, context);
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.#listener.onText(JSON.stringify(event));
  }

  binary(bytes: Buffer): void {
    this.#listener.onBinary(bytes);
  }

  configure(session: Readonly<Record<string, unknown>>): void {
    this.send({ type: 'session.update', session });
  }

  text(text: string): void {
    const content = [{ type: 'input_text', text }];
    this.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
  }

  /** Time passes without sound from this client. */
  async wait(ms: number): Promise<void> {
    await this.#rig.clock.runFor(ms);
  }

  async say(ms: number): Promise<void> {
    await this.#push(ms, 0.1);
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

  truncate(itemId: string, audioEndMs: number): void {
    this.send({
      ...{ type: 'conversation.item.truncate', item_id: itemId },
      ...{ content_index: 0, audio_end_ms: audioEndMs },
    });
  }

  async #push(ms: number, level: number): Promise<void> {
    const audio = Buffer.from(new Int16Array(PACKET_MS * 24).fill(level * 32_767).buffer).toString('base64');
    for (let at = 0; at < ms; at += PACKET_MS) {
      await this.wait(PACKET_MS);
      this.send({ type: 'input_audio_buffer.append', audio });
    }
  }
}
