/**
 * Frames straight into the connections of a real runtime, without sockets, in virtual time: as many as the processor
 * gives, and nobody waits for a reply to be played. Eight conversations at a time, each replaced after some thousand
 * frames; each is asked again and again whether it still answers. In every other one somebody talks (live-caller.ts),
 * with fewer of the fuzzer's frames between.
 */
import { type Clock, createRandom, integer, RealClock, VirtualClock } from '../../actors/core/index.ts';
import type { Logger } from '../../actors/core/logger.ts';
import { createRuntime, type Runtime } from '../../actors/index.ts';
import { guardedListener } from '../../protocols/guard/index.ts';
import { PictureDecoder } from '../../protocols/realtime/pictures.ts';
import type { RealtimeContext } from '../../protocols/realtime/realtime-connection.ts';
import { WorkQuota } from '../../protocols/guard/work-quota.ts';
import { Metrics } from '../../protocols/server/metrics.ts';
import type { Connection, ConnectionListener } from '../../protocols/server/socket-server.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';
import { ErrorsSeen } from './errors-seen.ts';
import { FrameSource } from './frames.ts';
import { LiveCaller } from './live-caller.ts';
import { type FuzzedProtocol, REALTIME } from './protocols.ts';
import { Talker } from './talker.ts';

export interface FuzzReport {
  mode: 'in-process' | 'sockets';
  frames: number;
  seconds: number;
  sessions: number;
  /** Conversations that did not answer a well-formed event any more. */
  stuck: number;
  /** Conversations that ended although nobody ended them, with the reason. */
  ended: string[];
  /** Errors that were ours, with the frame that came last. */
  faults: string[];
  probes: number;
  /**
   * Of the conversations in which somebody talks: turns heard, replies begun, and those of them that speech
   * interrupted.
   */
  live: { frames: number; turns: number; replies: number; interrupted: number };
  /** MiB of heap after each tenth of the run. */
  heapMb: number[];
  errors: Record<string, number>;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly frames: number;
  readonly maxMs: number;
  /** Absent: Realtime. */
  readonly protocol?: FuzzedProtocol;
  readonly onProgress?: (report: FuzzReport) => void;
}

const SESSIONS = 8;
const FRAMES_PER_SESSION = 3000;
/** A conversation is asked whether it answers after so many frames, */
const PROBE_EVERY = 250;
/**
 * and given so long. A turn may first have to speak; sound may wait for the ear. As long again of the machine's time,
 * for pictures.
 */
const PROBE_MS = 60_000;
const STEP_MS = 20;
/** In which sessions whose clients have gone are closed. */
const CLOSING_MS = 10_000;
/** Of virtual time between two frames of all conversations: a caller's 100 ms of sound come every 60 ms or so. */
const MEAN_GAP_MS = 8;
/** Frames between which no time passes: a run of the clock costs as much as a frame. */
const AT_ONCE = 4;
/** Frames of the fuzzer's among those of a live caller. */
const WILD_SHARE = 0.1;

export async function fuzzInProcess(options: FuzzOptions): Promise<FuzzReport> {
  const [clock, host] = [new VirtualClock(), new RealClock()];
  const engine = zeroLatencyEngine({ replies: [[{ text: 'Yes, I can hear you. Go on.', frames: 20 }]] });
  const runtime = createRuntime({ engine, clock, random: createRandom(options.seed) });
  const report = emptyReport('in-process');
  let latest = '';
  const onFault = (values: object, text: string) => {
    const { err } = values as { err?: Error };
    if (report.faults.length < 20)
      report.faults.push(`${text} ${err?.stack ?? ''} after ${latest.slice(0, 300)}`);
  };
  const context = contextOf(runtime, clock, onFault);
  const random = createRandom(`fuzz ${options.seed}`);
  const { protocol = REALTIME } = options;
  const source = new FrameSource(options.seed, random, 2000, protocol);
  const open = (at: number) => {
    const isRealtime = protocol.name === 'realtime';
    const caller = at % 2 === 0 ? (isRealtime ? new LiveCaller(random) : new Talker(random, protocol)) : null;
    return new FuzzedConnection(protocol, context, report, onFault, caller);
  };
  const connections = Array.from({ length: SESSIONS }, (_, at) => open(at));
  const startMs = host.nowMs();
  while (report.frames < options.frames && host.nowMs() - startMs < options.maxMs) {
    const at = integer(random, SESSIONS);
    const { caller } = connections[at];
    const isLive = caller !== null && random.next() >= WILD_SHARE;
    latest = isLive ? caller.next() : source.next();
    if (isLive) report.live.frames++;
    connections[at].send(latest);
    report.frames++;
    if (report.frames % AT_ONCE === 0) await clock.runFor(integer(random, 2 * MEAN_GAP_MS * AT_ONCE));
    if (report.frames % PROBE_EVERY === 0) await connections[integer(random, SESSIONS)].probe(clock, host);
    if (connections[at].frames >= FRAMES_PER_SESSION || connections[at].isOver) {
      await connections[at].finish(clock, host);
      connections[at] = open(at);
    }
    const elapsedMs = host.nowMs() - startMs;
    const done = Math.max(report.frames / options.frames, elapsedMs / options.maxMs);
    if (done * 10 >= report.heapMb.length + 1) {
      report.heapMb.push(heapMb());
      report.seconds = elapsedMs / 1000;
      options.onProgress?.(report);
    }
  }
  for (const connection of connections) await connection.finish(clock, host);
  await clock.runFor(CLOSING_MS);
  report.seconds = (host.nowMs() - startMs) / 1000;
  report.heapMb.push(heapMb());
  if (runtime.sessions.size > 0) report.faults.push(`${runtime.sessions.size} sessions were left over.`);
  await Promise.all([runtime.close(), clock.runFor(CLOSING_MS)]);
  return report;
}

export function emptyReport(mode: FuzzReport['mode']): FuzzReport {
  const counts = { frames: 0, seconds: 0, sessions: 0, stuck: 0, probes: 0 };
  const live = { frames: 0, turns: 0, replies: 0, interrupted: 0 };
  return { mode, ...counts, live, ended: [], faults: [], heapMb: [], errors: {} };
}

function contextOf(runtime: Runtime, clock: Clock, onFault: Logger['error']): RealtimeContext {
  const log: Logger = { debug() {}, info() {}, warn: onFault, error: onFault };
  const limits = { maxUnsentBytes: Number.MAX_SAFE_INTEGER, idleMs: 1e9, lifetimeMs: 1e9 };
  return {
    ...{ runtime, clock, log, limits, sessionDefaults: {}, modelName: 'fuzz', unixTimeMs: () => 0 },
    metrics: new Metrics(runtime),
    pictures: new PictureDecoder(0),
    quota: new WorkQuota(clock),
  };
}

function heapMb(): number {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}

/** What is done beside the virtual clock gets its turn. */
const turn = (host: RealClock) => new Promise<void>(resolve => host.setTimer(0, resolve));

/** Somebody who talks. */
type Caller = Pick<LiveCaller, 'begin' | 'next' | 'receive' | 'turns' | 'replies' | 'interrupted'>;

/** A client without a network: what the server sends is looked at and thrown away. */
class FuzzedConnection {
  frames = 0;
  isOver = false;
  readonly #report: FuzzReport;
  readonly #listener: ConnectionListener;
  readonly #errors: ErrorsSeen;
  readonly caller: Caller | null;
  readonly #protocol: FuzzedProtocol;
  #isFinishing = false;

  constructor(
    protocol: FuzzedProtocol,
    context: RealtimeContext,
    report: FuzzReport,
    onFault: (values: object, text: string) => void,
    caller: Caller | null,
  ) {
    this.#report = report;
    this.#protocol = protocol;
    this.caller = caller;
    this.#errors = new ErrorsSeen(report);
    report.sessions++;
    const connection: Connection = {
      send: text => {
        this.#errors.receive(String(text));
        caller?.receive(String(text));
      },
      unsentBytes: () => 0,
      pauseReading() {},
      close: (code, reason) => this.#closed(code, reason),
    };
    this.#listener = guardedListener(
      connection,
      () => protocol.open(connection, context),
      err => onFault({ err }, 'Broken off.'),
    );
    if (protocol.opening !== null) this.#listener.onText(protocol.opening);
    if (caller) this.#listener.onText(caller.begin());
  }

  send(text: string): void {
    this.frames++;
    this.#listener.onText(text);
  }

  /** Does it still answer? */
  async probe(clock: VirtualClock, host: RealClock): Promise<void> {
    if (this.isOver) return;
    this.#listener.onText(this.#errors.nextProbe());
    const waits = () => !this.#errors.isAnswered && !this.isOver;
    for (let ms = 0; ms < PROBE_MS && waits(); ms += STEP_MS) await clock.runFor(STEP_MS);
    for (const untilMs = host.nowMs() + PROBE_MS; waits() && host.nowMs() < untilMs; ) {
      await turn(host);
      await clock.runFor(STEP_MS);
    }
    if (!this.#errors.isAnswered && !this.isOver) this.#report.stuck++;
  }

  async finish(clock: VirtualClock, host: RealClock): Promise<void> {
    await this.probe(clock, host);
    const { turns, replies, interrupted } = this.caller ?? { turns: 0, replies: 0, interrupted: 0 };
    this.#report.live.turns += turns;
    this.#report.live.replies += replies;
    this.#report.live.interrupted += interrupted;
    this.#isFinishing = true;
    if (this.isOver) return;
    this.isOver = true;
    this.#listener.onClose(1000, 'OK');
  }

  #closed(code: number, reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    if (!this.#isFinishing && !this.#protocol.isAskedFor(code)) this.#report.ended.push(`${code} ${reason}`);
    this.#listener.onClose(code, reason);
  }
}
