/**
 * nano's language model behind SGLang's HTTP (docs/spec/remote.md §1): the same conversation to the bit, also where the
 * server fails.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createRandom,
  engineOnClock,
  RealClock,
  superviseEngine,
  VirtualClock,
} from '../../actors/core/index.ts';
import {
  createRuntime,
  type RuntimeHealth,
  type Session,
  type SessionEvent,
  type SessionSettings,
  type ToolDeclaration,
} from '../../actors/index.ts';
import { hashOf } from '../../actors/recording/hash.ts';
import { Embedder } from '../../kernels/components/language-model/index.ts';
import {
  createEngine,
  type Engine,
  fastestEngine,
  opsOf,
  type Places,
  type SamplingRequest,
  textPositions,
} from '../../kernels/engine/index.ts';
import { SglangChannel } from '../../kernels/engine/sglang/index.ts';
import { traceparentOf } from '../../kernels/trace-context.ts';
import { codeOfRejection } from '../support/code-of.ts';
import { conversation, PREFILL_MS, STEP_MS, type Told } from '../support/fed-conversation.ts';
import { DEFAULT_WRITING, type PeerFault, SglangPeer } from '../support/sglang-peer.ts';
import { addItem, cancelResponse, createResponse } from '../support/told.ts';

const MODEL = 'models/nano';
const { kind } = fastestEngine();

let nano: Engine;
let peer: SglangPeer;
beforeAll(async () => {
  nano = await createEngine({ kind, modelDirectory: MODEL, inline: true });
  peer = await SglangPeer.start(nano);
});
afterEach(() => {
  peer.requests.length = 0;
  peer.faults.length = 0;
  peer.health = 200;
  peer.writing = DEFAULT_WRITING;
});
afterAll(async () => {
  await peer.stop();
  await nano.close();
});

const embedder = Embedder.load(MODEL, opsOf(kind));

/** All of nano here but its language model, which is reached over HTTP; bounds are kept by `timers`. */
async function overHttp(timers = new VirtualClock(), ...given: readonly string[]): Promise<Engine> {
  const settings = { vectors: 'f32' } as const;
  const addresses = given.length > 0 ? given : [peer.address];
  const open = () => SglangChannel.open({ addresses, embedder, timers, newId: randomUUID, settings });
  const place = { languageModel: open as Places['languageModel'] };
  return createEngine({ kind, modelDirectory: MODEL, inline: true, place });
}

interface Reply {
  readonly text: string;
  /** A hash of all samples. */
  readonly sound: string;
  readonly calls: readonly unknown[];
  readonly status: unknown;
}

const TOOLS: readonly ToolDeclaration[] = [
  {
    name: 'set_timer',
    parameters: { type: 'object', properties: { minutes: { type: 'integer' } } },
  },
];
const REQUEST = 'set a timer for five minutes';
const QUESTIONS = ['count to three', 'hello'];
const COMPLETED = { kind: 'completed' };

/** A session that is written to, and what it answers. */
class Writer {
  readonly clock = new VirtualClock();
  readonly runtime;
  readonly session;
  readonly events: SessionEvent[] = [];

  constructor(engine: Engine, health?: RuntimeHealth, settings: Partial<SessionSettings> = {}) {
    const timed = engineOnClock(engine, this.clock);
    const given = health ? { health } : {};
    this.runtime = createRuntime({ engine: timed, clock: this.clock, random: createRandom(1), ...given });
    this.session = this.runtime.openSession({ turnDetection: { mode: 'manual' }, ...settings });
    this.session.events$.subscribe(event => this.events.push(event));
  }

  async askAll(questions: readonly string[] = QUESTIONS): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (const question of questions) replies.push(await this.ask(question));
    return replies;
  }

  async ask(text: string): Promise<Reply> {
    const from = this.events.length;
    addItem(this.session, { role: 'user', content: [{ type: 'text', text }] });
    createResponse(this.session);
    const done = () => this.events.slice(from).find(event => event.type === 'response.done');
    for (let ms = 0; ms < 60_000 && !done(); ms += 100) await this.clock.runFor(100);
    const events = this.events.slice(from);
    const sound = hashOf(events.flatMap(event => (event.type === 'response.audio' ? [event.samples] : [])));
    const status = (done() as { status?: unknown } | undefined)?.status;
    const items = events.flatMap(event => (event.type === 'response.call' ? event.item.content : []));
    const calls = items.flatMap(part => (part.type === 'call' ? [[part.name, part.argumentsJson]] : []));
    return { text: said({ fed: [], events }), sound, calls, status };
  }
}

const said = ({ events }: Told) =>
  events.flatMap(event => (event.type === 'response.text' ? [event.delta] : [])).join('');

describe('a conversation over SGLang', () => {
  let here: Reply[];
  beforeAll(async () => {
    here = await new Writer(nano).askAll();
    expect(here.map(({ status }) => status)).toEqual([COMPLETED, COMPLETED]);
  });

  /** What the writer heard with the server on the other side; each fault strikes one request. */
  async function askedThere(...faults: (PeerFault | null)[]): Promise<Reply[]> {
    peer.faults.push(...faults);
    const engine = await overHttp();
    try {
      return await new Writer(engine).askAll();
    } finally {
      await engine.close();
    }
  }

  it('is the one over the engine in the process, to the bit: pauses, an interruption, what was heard', async () => {
    const inProcess = await conversation(nano);
    const engine = await overHttp();
    const there = await conversation(engine);
    await engine.close();
    expect(there.fed.length).toBe(inProcess.fed.length);
    const differs = there.fed.findIndex(
      (positions, step) => hashOf(positions) !== hashOf(inProcess.fed[step]),
    );
    expect(differs).toBe(-1);
    expect(said(there)).toBe(said(inProcess));
    // Two speculations of the first turn and one of the second: each is a request, with all there is by then.
    expect(peer.requests.length).toBe(3);
    expect(peer.requests[1].positions).toBeGreaterThan(peer.requests[0].positions);
    const causes = ({ events }: Told) =>
      events.flatMap(event => (event.type === 'turn.trace' ? [event.trace.waterfall] : []))[0]!.entries;
    const lines = { 'sending context': STEP_MS - PREFILL_MS, 're-prefill': PREFILL_MS };
    const known = causes(there).map(({ cause, ms }) => [cause, ms]);
    for (const line of Object.entries(lines)) expect(known).toContainEqual(line);
    expect(causes(inProcess)).toContainEqual({ cause: 'prefill', ms: STEP_MS });
  });

  it.each(['cumulative', 'incremental'] as const)(
    'reads %s lists, repeated ids, and several steps at once',
    async output => {
      const other = output === 'cumulative' ? 'incremental' : 'cumulative';
      for (const codes of [output, other] as const) {
        peer.writing = {
          output,
          codes,
          repeatsPrompt: codes === other,
          filler: codes === other ? 2 : -1,
          perEvent: codes === other ? 4 : 1,
        };
        expect(await askedThere()).toEqual(here);
      }
    },
  );

  it.each<[string, PeerFault]>([
    ['refuses', { kind: 'status', status: 500 }],
    ['is cut before its first step', { kind: 'cut', atStep: 0 }],
    ['is cut while it speaks', { kind: 'cut', atStep: 9 }],
    ['says nonsense', { kind: 'nonsense', atStep: 3 }],
    ['counts wrongly', { kind: 'miscount', atStep: 3 }],
    ['ends too early', { kind: 'early-end', atStep: 3 }],
  ])('is the same where a reply %s, once', async (_, fault) => {
    expect(await askedThere(fault)).toEqual(here);
    expect(peer.requests.length).toBe(3);
  });

  it.each(['audio', 'text'] as const)(
    'calls tools and answers in %s as in one process, though the server always speaks, faults or none',
    async outputModality => {
      const settings = { outputModality, tools: TOOLS };
      const ask = (engine: Engine) => new Writer(engine, undefined, settings).askAll([QUESTIONS[0], REQUEST]);
      const inProcess = await ask(nano);
      expect(inProcess.map(({ calls }) => calls.length)).toEqual([0, 1]);
      const faults = [null, { kind: 'status', status: 500 }, null, { kind: 'cut', atStep: 0 }] as const;
      peer.faults.push(...faults);
      const engine = await overHttp();
      expect(await ask(engine)).toEqual(inProcess);
      await engine.close();
      const oneStep = peer.requests.filter(({ sampling }) => sampling.max_new_tokens === 1);
      expect(oneStep.length).toBeGreaterThan(10);
    },
  );

  it('is shared by several servers: each call has its own, and another goes on where one dies', async () => {
    const [one, two] = [await SglangPeer.start(nano), await SglangPeer.start(nano)];
    const timers = new VirtualClock();
    const engine = await overHttp(timers, one.address, two.address);
    const serving = () => engine.lifecycle!.hosts('languageModel').map(({ host }) => host);
    while (serving().length < 2) await new Promise(setImmediate);
    const [writer, other] = [new Writer(engine), new Writer(engine)];
    one.faults.push({ kind: 'stall', atStep: 4 });
    const asking = writer.ask(QUESTIONS[0]);
    await one.when(() => one.requests[0]?.steps === 4);
    expect(await other.ask(QUESTIONS[0])).toEqual(here[0]);
    expect([one.requests.length, two.requests.length]).toEqual([1, 1]);
    const { port } = one;
    await one.stop();
    expect(await asking).toEqual(here[0]);
    expect(two.requests.length).toBe(2);
    // Each is told whose turn it is, however often it is asked.
    const [first, again] = [one.requests[0], two.requests[1]].map(({ traceparent }) => traceparent);
    expect([0, 1, 2].map(turn => traceparentOf(writer.session.id, turn))).toContain(first);
    expect(again).toBe(first);
    while (serving().length === 2) await retried(timers);
    expect(serving()).toEqual([two.address]);

    const back = await SglangPeer.start(nano, port);
    while (serving().length < 2) await retried(timers);
    expect(await writer.ask(QUESTIONS[1])).toEqual(here[1]);
    expect([back.requests.length, two.requests.length]).toEqual([0, 3]);
    expect((await new Writer(engine).ask(QUESTIONS[1])).status).toEqual(COMPLETED);
    expect([back.requests.length, two.requests.length]).toEqual([1, 3]);
    await engine.close();
    await Promise.all([back.stop(), two.stop()]);
  });

  it('loses the turn, and goes on, where a reply fails again or is another than it was', async () => {
    const fault = { kind: 'status', status: 503 } as const;
    const [failed, after] = await askedThere(fault, fault);
    expect(failed.status).toMatchObject({ kind: 'failed', code: 'sglang.refused' });
    expect(after.status).toEqual(COMPLETED);
    const [other, next] = await askedThere({ kind: 'cut', atStep: 5 }, { kind: 'other', atStep: 2 });
    expect(other.status).toMatchObject({ kind: 'failed', code: 'sglang.diverged' });
    expect(next.status).toEqual(COMPLETED);
  });

  it('waits for a step as long as is said, and nobody else waits with it', async () => {
    const timers = new VirtualClock();
    const engine = await overHttp(timers);
    peer.faults.push({ kind: 'stall', atStep: 4 });
    const runtime = createRuntime({ engine, clock: new RealClock(), random: createRandom(1) });
    const open = () => runtime.openSession({ turnDetection: { mode: 'manual' } });
    const [one, other] = [open(), open()];
    const waiting = answerTo(one, QUESTIONS[0]);
    await peer.when(() => peer.requests[0]?.steps === 4);
    expect(await answerTo(other, QUESTIONS[0])).toEqual(COMPLETED);
    expect(await answerTo(other, QUESTIONS[1])).toEqual(COMPLETED);
    // The steps that were made are heard before the bound counts.
    while (timers.pending < 2) await new Promise(setImmediate);
    await timers.runFor(3000);
    expect(await waiting).toMatchObject({ kind: 'failed', code: 'sglang.slow' });
    await peer.when(() => peer.requests[0].aborted);
    expect(await answerTo(one, QUESTIONS[1])).toEqual(COMPLETED);
    await runtime.close();
    await engine.close();
  });

  it('is stopped by whoever has the session while a step is waited for, and goes on', async () => {
    const engine = await overHttp();
    peer.faults.push({ kind: 'stall', atStep: 4 });
    const runtime = createRuntime({ engine, clock: new RealClock(), random: createRandom(1) });
    const session = runtime.openSession({ turnDetection: { mode: 'manual' } });
    const waiting = answerTo(session, QUESTIONS[0]);
    await peer.when(() => peer.requests[0]?.steps === 4);
    cancelResponse(session);
    // The bounds' time stands still: it is the cancelling that the server hears of.
    await peer.when(() => peer.requests[0].aborted);
    expect(await waiting).toMatchObject({ kind: 'cancelled' });
    // The step that was being made, and no other.
    expect(peer.requests[0].steps).toBeLessThanOrEqual(5);
    expect(await answerTo(session, QUESTIONS[1])).toEqual(COMPLETED);
    await runtime.close();
    await engine.close();
  });

  it('ends a reply at once, and the server at its next step', async () => {
    const engine = await overHttp();
    const { languageModel, model } = engine;
    const sequence = languageModel.open();
    peer.faults.push({ kind: 'stall', atStep: 1 });
    const [first] = await languageModel.step([
      { sequence, positions: textPositions([model.tokens.bos]), sample: SAMPLE },
    ]);
    const { text, codes } = first!.sampled!;
    const fed = {
      textIds: Int32Array.of(text),
      codes: Int32Array.from(codes),
      features: NONE,
      rule: 'decode',
    } as const;
    const waiting = languageModel.step([{ sequence, positions: fed, sample: SAMPLE }]);
    languageModel.endReply!(sequence);
    expect(await waiting).toEqual([{ length: 2 }]);
    await peer.when(() => peer.requests[0].aborted);
    expect(peer.requests[0].steps).toBeLessThanOrEqual(2);
    await engine.close();
  });
});

describe('a server that is gone', () => {
  const log = { debug() {}, info() {}, warn() {}, error() {} };

  it('is waited for when the runtime starts, for a while', async () => {
    const timers = new VirtualClock();
    peer.health = 503;
    const opening = overHttp(timers).then(engine => engine.close());
    for (let asked = 0; asked < 3; asked++) await retried(timers);
    peer.health = 200;
    await untilOver(timers, opening);
    const nobody = overHttp(timers, 'http://127.0.0.1:1');
    await untilOver(timers, nobody);
    expect(await codeOfRejection(nobody)).toBe('sglang.down');
  });

  it('costs the turns that need it, is told of like any component, and serves again when it is back', async () => {
    const own = await SglangPeer.start(nano);
    const timers = new VirtualClock();
    const inner = await overHttp(timers, own.address);
    const supervised = superviseEngine(inner, { clock: timers, log, stepDeadlineMs: 250 });
    const faults: string[] = [];
    supervised.health.faults$.subscribe(({ kind: what, code }) => faults.push(`${what} ${code}`));
    const state = () => supervised.health.components.get('language-model');
    const writer = new Writer(supervised.engine, supervised.health);
    expect((await writer.ask(QUESTIONS[1])).status).toEqual(COMPLETED);
    expect(writer.runtime.health.components.get('language-model')).toBe('ready');

    const { port } = own;
    await own.stop();
    const asking = writer.ask(QUESTIONS[1]);
    while (faults.length === 0) await new Promise(setImmediate);
    expect([state(), faults]).toEqual(['down', ['crash sglang.down']]);
    await untilOver(timers, asking);
    expect((await asking).status).toMatchObject({ kind: 'failed', code: 'engine.component-down' });
    expect((await writer.ask(QUESTIONS[1])).status).toMatchObject({
      kind: 'failed',
      code: 'engine.component-down',
    });

    const again = await SglangPeer.start(nano, port);
    while (state() !== 'ready') await retried(timers);
    expect((await writer.ask(QUESTIONS[1])).status).toEqual(COMPLETED);
    await supervised.engine.close();
    await again.stop();
  });
});

const NONE = new Float32Array(0);
const PAST = new Int32Array(30).fill(-1);
const SAMPLE: SamplingRequest = {
  ...{ textHistory: PAST, codeHistories: [PAST, PAST, PAST, PAST], speech: true, draw: 0 },
  ...{ temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1 },
};

/** How a written question is answered, in the machine's own time. */
function answerTo(session: Session, text: string): Promise<unknown> {
  const answered = new Promise(resolve => {
    session.events$.subscribe(event => event.type === 'response.done' && resolve(event.status));
  });
  addItem(session, { role: 'user', content: [{ type: 'text', text }] });
  createResponse(session);
  return answered;
}

/** Time for a server that is asked again and again: what it says comes in the machine's own time. */
async function retried(timers: VirtualClock): Promise<void> {
  await new Promise(setImmediate);
  await timers.runFor(20);
}

/** Moves the bounds' time on until it is over, however it ends. */
async function untilOver(timers: VirtualClock, work: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  work.then(over, over);
  while (!isOver) await retried(timers);
}
