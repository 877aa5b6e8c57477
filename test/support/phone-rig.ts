/**
 * Telephone doors over the real session and scripted models, called by fake carriers through connections in memory, in
 * virtual time.
 */
import { createRandom, silentLogger, type VirtualClock } from '../../actors/core/index.ts';
import type { Runtime, Session, SessionEvent, SessionSettings } from '../../actors/index.ts';
import { FakeCall, type FakeCallOptions, FRAME_MS } from '../../cli/fake-carrier/fake-call.ts';
import type { CarrierSide, Frame } from '../../cli/fake-carrier/side.ts';
import { AudioSocketDialect } from '../../protocols/asterisk/audio-socket-dialect.ts';
import type { Connection, ConnectionListener } from '../../protocols/connection.ts';
import type { Door, DoorContext } from '../../protocols/door.ts';
import { WorkQuota } from '../../protocols/guard/index.ts';
import { bytesOfMs, CODECS } from '../../protocols/media/index.ts';
import { Authentication } from '../../protocols/server/authentication.ts';
import { RouteTable } from '../../protocols/server/http-host.ts';
import { Metrics } from '../../protocols/server/metrics.ts';
import { Readiness } from '../../protocols/server/readiness.ts';
import { Switchboard } from '../../protocols/switchboard.ts';
import type { HttpAnswer, HttpRequest } from '../../protocols/server/socket-server.ts';
import { CarrierConnection, DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { type RigOptions, SessionRig } from './session-rig.ts';

const SPEECH_LEVEL = 0.1;

/** Telephone doors before any runtime, reached through connections in memory. */
export class PhoneExchange {
  readonly runtime: Runtime;
  readonly clock: VirtualClock;
  readonly metrics: Metrics;
  readonly routes: RouteTable;
  readonly logged: { values: object; text: string }[] = [];
  readonly context: DoorContext;

  constructor(
    runtime: Runtime,
    clock: VirtualClock,
    defaults: Partial<SessionSettings> = {},
    keys: readonly string[] = [],
  ) {
    this.runtime = runtime;
    this.clock = clock;
    this.metrics = new Metrics(runtime);
    this.routes = new RouteTable(silentLogger, this.metrics);
    const { metrics, routes: host } = this;
    const keep = (values: object, text: string) => void this.logged.push({ values, text });
    this.context = {
      ...{ host, runtime, metrics, clock, modelName: 'test', unixTimeMs: () => 0 },
      sessionDefaults: defaults,
      log: { debug() {}, info: keep, warn: keep, error: keep },
      readiness: new Readiness(runtime, clock),
      switchboard: new Switchboard(() => 0),
      authentication: new Authentication({ host: '127.0.0.1', keys, allowedOrigins: [], clock }),
      quota: new WorkQuota(clock),
      limits: { maxUnsentBytes: 1 << 20, idleMs: 1e9, lifetimeMs: 1e9 },
    };
  }

  async openDoor(door: Door): Promise<void> {
    await door.open(this.context);
  }

  request(path: string, headers: Readonly<Record<string, string>> = {}, body = ''): HttpRequest {
    const [bare, query = ''] = path.split('?');
    return {
      method: body === '' ? 'GET' : 'POST',
      path: bare,
      query: new URLSearchParams(query),
      headers: new Map(Object.entries({ host: 'localhost:8080', ...headers })),
      body: Buffer.from(body),
    };
  }

  /** What AudioSocket's own port gives a connection, without the port. */
  audioSocket(side: CarrierSide, options: Partial<FakeCallOptions> = {}): PhoneCaller {
    const open = (connection: Connection) =>
      new CarrierConnection(connection, new AudioSocketDialect(), {
        context: this.context,
        digits: DEFAULT_DIGITS,
      });
    return new PhoneCaller(this, new PhoneWire(open), side, options);
  }

  /** A connection at this path; the answer where it is refused. */
  connect(path: string, headers: Readonly<Record<string, string>> = {}): PhoneWire | HttpAnswer {
    const decision = this.routes.decide(this.request(path, headers));
    return decision.accept ? new PhoneWire(decision.onOpen) : decision.answer;
  }

  /** A fake carrier's call at this path. */
  call(path: string, side: CarrierSide, options: Partial<FakeCallOptions> = {}): PhoneCaller {
    const wire = this.connect(path);
    if (!(wire instanceof PhoneWire)) throw new Error(`Refused with ${wire.status}.`);
    return new PhoneCaller(this, wire, side, options);
  }
}

/** With scripted models behind it. */
export class PhoneRig extends PhoneExchange {
  readonly #session: SessionRig;

  constructor(
    options: RigOptions = {},
    defaults: Partial<SessionSettings> = {},
    keys: readonly string[] = [],
  ) {
    const session = new SessionRig({ quietBelow: 0.01, ...options });
    super(session.runtime, session.clock, defaults, keys);
    this.#session = session;
  }

  /** What is heard in the caller's next words, with `words`. */
  set word(word: string) {
    this.#session.word = word;
  }
}

/** The server's end of a connection, in memory. */
export class PhoneWire implements Connection {
  readonly sent: Frame[] = [];
  closed: { code: number; reason: string } | null = null;
  unsent = 0;
  onFrame: (frame: Frame) => void = () => {};
  readonly #listener: ConnectionListener;

  constructor(open: (connection: Connection) => ConnectionListener) {
    this.#listener = open(this);
  }

  send(frame: string | Uint8Array): void {
    this.sent.push(frame);
    this.onFrame(frame);
  }

  unsentBytes(): number {
    return this.unsent;
  }

  pauseReading(): void {}

  close(code: number, reason: string): void {
    if (this.closed) return;
    this.closed = { code, reason };
    this.#listener.onClose(code, reason);
  }

  /** From the carrier. */
  receive(frame: Frame): void {
    if (this.closed) return;
    if (typeof frame === 'string') this.#listener.onText(frame);
    else this.#listener.onBinary(Buffer.from(frame));
  }

  /** The carrier's socket is gone. */
  drop(code = 1006): void {
    if (this.closed) return;
    this.closed = { code, reason: 'dropped' };
    this.#listener.onClose(code, '');
  }
}

/** A person on the telephone of a fake carrier. */
export class PhoneCaller {
  readonly call: FakeCall;
  readonly events: SessionEvent[] = [];
  readonly wire: PhoneWire;
  readonly #rig: PhoneExchange;
  readonly #speech: Buffer;
  #speaks = false;
  #words: Buffer = Buffer.alloc(0);
  #session: Session | null = null;

  constructor(rig: PhoneExchange, wire: PhoneWire, side: CarrierSide, options: Partial<FakeCallOptions>) {
    this.#rig = rig;
    this.wire = wire;
    const samples = new Float32Array(side.format.rateHz / 50).fill(SPEECH_LEVEL);
    this.#speech = CODECS[side.format.codec].encode(samples);
    const known = new Set(rig.runtime.sessions.keys());
    this.call = new FakeCall({
      ...{ side, clock: rig.clock, random: createRandom(1) },
      send: frame => {
        wire.receive(frame);
        this.#listen(known);
      },
      speech: () => this.#next(),
      ...options,
    });
    wire.onFrame = frame => this.call.receive(frame);
  }

  #next(): Buffer | null {
    if (this.#words.length === 0) return this.#speaks ? this.#speech : null;
    const frame = this.#words.subarray(0, this.#speech.length);
    this.#words = this.#words.subarray(this.#speech.length);
    return frame.length === this.#speech.length ? frame : null;
  }

  /** Subscribes to the session that this call opened, once there is one. */
  #listen(known: ReadonlySet<string>): void {
    if (this.#session) return;
    for (const [id, session] of this.#rig.runtime.sessions) {
      if (known.has(id) || id.includes('aside')) continue;
      this.#session = session;
      session.events$.subscribe(event => this.events.push(event));
      return;
    }
  }
  get session() {
    if (!this.#session) throw new Error('The call has no session.');
    return this.#session;
  }

  /** Words in the carrier's format, to their end. */
  async speak(words: Buffer): Promise<void> {
    this.#words = words;
    while (this.#words.length > 0) await this.#rig.clock.runFor(FRAME_MS);
  }

  /** Silence until it is so, at most 30 s. */
  async until(isSo: () => boolean): Promise<void> {
    for (let ms = 0; ms < 30_000 && !isSo(); ms += FRAME_MS) await this.silence(FRAME_MS);
    if (!isSo()) throw new Error('It did not come to that.');
  }

  async say(ms: number): Promise<void> {
    this.#speaks = true;
    await this.#rig.clock.runFor(ms);
  }

  async silence(ms: number): Promise<void> {
    this.#speaks = false;
    await this.#rig.clock.runFor(ms);
  }

  all<T extends SessionEvent['type']>(type: T): Extract<SessionEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<SessionEvent, { type: T }> => event.type === type);
  }

  /** Milliseconds of the agent's sound that reached the ear. */
  get playedMs(): number {
    const { format } = this.call.queue;
    return (this.call.queue.played / bytesOfMs(format, 1000)) * 1000;
  }
}
