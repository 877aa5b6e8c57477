/**
 * Three conversations whose components are on three hosts, of which some die, are cut off or hang in the middle of a
 * reply, and some come: the short version of `npm run bench -- reliability`, in virtual time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, engineOnClock, superviseEngine, VirtualClock } from '../../actors/core/index.ts';
import { createRuntime, type SessionEvent } from '../../actors/index.ts';
import { hashOf } from '../../actors/recording/hash.ts';
import {
  createEngine,
  type Engine,
  fastestEngine,
  type Places,
  streamOfComponent,
} from '../../kernels/engine/index.ts';
import { ComponentHost, type HostedComponent, RemoteChannel } from '../../kernels/engine/remote/index.ts';
import { MemoryBus } from '../support/memory-bus.ts';
import { addItem, createResponse } from '../support/told.ts';

const MODEL = { name: 'nano', hash: 'abc' };
const ON_HOSTS = ['languageModel', 'ganDecoder'] as const;
const QUESTIONS = ['count to three', 'hello'];
const SESSIONS = 3;
const { kind } = fastestEngine();
const local = { kind, modelDirectory: 'models/nano', inline: true } as const;
const log = { debug() {}, info() {}, warn() {}, error() {} };

let nano: Engine;
beforeAll(async () => {
  nano = await createEngine(local);
});
afterAll(() => nano.close());

/** Three hosts on a bus, all with the arithmetic of one nano, and a server that uses them. */
class Hosts {
  readonly bus = new MemoryBus(64 * 1024);
  /** Of the bounds on hosts; conversations have their own. */
  readonly timers = new VirtualClock();
  readonly connections = new Map<string, ReturnType<MemoryBus['connect']>>();
  /** Of whose turns works came. */
  readonly traced = new Set<unknown>();
  #ids = 0;

  async add(host: string): Promise<void> {
    const bus = this.bus.connect();
    this.connections.set(host, bus);
    for (const component of ON_HOSTS) {
      const hosted = nano[component] as unknown as HostedComponent;
      const streamOf = await streamOfComponent(component);
      const onStep = (batch: readonly object[]) => {
        for (const work of batch) if ('traceparent' in work) this.traced.add(work.traceparent);
      };
      new ComponentHost({
        ...{ component, hosted, streamOf, host, model: MODEL, bus, timers: this.timers, onStep },
      });
    }
  }

  async engine(): Promise<Engine> {
    for (const host of ['a', 'b', 'c']) await this.add(host);
    const bus = this.bus.connect();
    const open = async (component: (typeof ON_HOSTS)[number]) => {
      const streamOf = await streamOfComponent(component);
      const newId = () => `id${++this.#ids}`;
      return RemoteChannel.open<never, never>({
        ...{ component, model: MODEL, bus, timers: this.timers, newId, streamOf },
      });
    };
    const place: Places = Object.fromEntries(ON_HOSTS.map(name => [name, open]));
    const opening = createEngine({ ...local, place });
    let isOpen = false;
    opening.then(() => {
      isOpen = true;
    });
    while (!isOpen) await this.passes(20);
    return opening;
  }

  async passes(ms: number): Promise<void> {
    await this.bus.settled();
    await this.timers.runFor(ms);
  }
}

interface Answer {
  readonly text: string;
  readonly sound: string;
  readonly ends: readonly unknown[];
  readonly errors: number;
}

/** Everybody is asked everything; `strike` is told of each step of a reply. */
async function conversations(
  engine: Engine,
  clock: VirtualClock,
  strike: (steps: number) => void,
): Promise<Answer[][]> {
  let steps = 0;
  const inner = engine.languageModel;
  const watched = {
    ...engine,
    languageModel: {
      open: () => inner.open(),
      close: (sequence: number) => inner.close(sequence),
      truncate: (sequence: number, length: number) => inner.truncate(sequence, length),
      step: (batch: Parameters<typeof inner.step>[0]) => {
        if (batch.some(({ sample }) => sample)) strike(steps++);
        return inner.step(batch);
      },
    },
  };
  const runtime = createRuntime({ engine: engineOnClock(watched, clock), clock, random: createRandom(1) });
  const everybody = Array.from({ length: SESSIONS }, () => {
    const session = runtime.openSession({ turnDetection: { mode: 'manual' } });
    const events: SessionEvent[] = [];
    session.events$.subscribe(event => events.push(event));
    return { session, events };
  });
  const answers: Answer[][] = everybody.map(() => []);
  for (const text of QUESTIONS) {
    const from = everybody.map(({ events }) => events.length);
    for (const { session } of everybody) {
      addItem(session, { role: 'user', content: [{ type: 'text', text }] });
      createResponse(session);
    }
    const isDone = () =>
      everybody.every(({ events }, n) => events.slice(from[n]).some(({ type }) => type === 'response.done'));
    for (let ms = 0; ms < 20_000 && !isDone(); ms += 100) await clock.runFor(100);
    await clock.runFor(1000); // Nothing is answered again.
    for (const [n, { events }] of everybody.entries()) answers[n].push(answerOf(events.slice(from[n])));
  }
  expect(runtime.sessions.size).toBe(SESSIONS);
  return answers;
}

function answerOf(events: readonly SessionEvent[]): Answer {
  return {
    text: events.flatMap(event => (event.type === 'response.text' ? [event.delta] : [])).join(''),
    // However it was cut.
    sound: hashOf(
      Float32Array.from(events.flatMap(event => (event.type === 'response.audio' ? [...event.samples] : []))),
    ),
    ends: events.flatMap(event => (event.type === 'response.done' ? [event.status] : [])),
    errors: events.filter(({ type }) => type === 'error').length,
  };
}

describe('conversations on hosts that fail', () => {
  it('are heard as without a fault, each answer once, as long as one host is left', async () => {
    const undisturbed = await conversations(nano, new VirtualClock(), () => {});
    expect(undisturbed.flat().flatMap(({ ends }) => ends)).toEqual(
      new Array(SESSIONS * QUESTIONS.length).fill({ kind: 'completed' }),
    );
    const hosts = new Hosts();
    const inner = await hosts.engine();
    const { engine, health } = superviseEngine(inner, { clock: hosts.timers, log, stepDeadlineMs: 250 });
    const struck: string[] = [];
    const strikes: Readonly<Record<number, () => void>> = {
      2: () => hosts.connections.get('a')!.cut(),
      7: () => hosts.connections.get('b')!.hang(),
      9: () => void hosts.add('d'),
      14: () => hosts.connections.get('c')!.cut(),
    };
    let isOver = false;
    const talking = conversations(engine, new VirtualClock(), steps => {
      strikes[steps]?.();
      if (strikes[steps]) struck.push(`${steps}`);
    }).finally(() => {
      isOver = true;
    });
    talking.catch(() => {});
    while (!isOver) await hosts.passes(20);
    expect(struck).toEqual(Object.keys(strikes));
    expect(await talking).toEqual(undisturbed);
    expect(health.components.get('language-model')).toBe('ready');
    expect(inner.lifecycle!.hosts('languageModel').map(({ host }) => host)).toEqual(['d']);
    // Each turn is a trace, wherever its steps were done.
    expect(hosts.traced.size).toBe(SESSIONS * QUESTIONS.length);
    await engine.close();
  });
});
