/**
 * Components on other hosts (docs/spec/remote.md §2): the same bits, the same order, and what becomes of those who go.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { ComponentFront } from '../../kernels/engine/component-front.ts';
import {
  createEngine,
  type Engine,
  fastestEngine,
  streamOfComponent,
  textPositions,
} from '../../kernels/engine/index.ts';
import {
  type Bus,
  ComponentHost,
  connectNats,
  type HostedComponent,
  RemoteChannel,
} from '../../kernels/engine/remote/index.ts';
import { Joiner, partsOf } from '../../kernels/engine/remote/parts.ts';
import { packed } from '../../kernels/engine/remote/wire.ts';
import { PartlyFailed } from '../../kernels/engine/partly-failed.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { ADDER as MODEL, adder, LIMITS, type Sum } from '../support/adding-host.ts';
import { type AddingWork, streamOf } from '../support/crashing-service.js';
import { MemoryBus } from '../support/memory-bus.ts';

const component = 'languageModel';

const codeOf = (promise: PromiseLike<unknown>): Promise<string> =>
  Promise.resolve(promise).then(
    () => 'no error',
    error => (error as RuntimeError).code,
  );

let ids = 0;
const newId = () => `id${++ids}`;

describe('a component on another host', () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const open = async (bus: MemoryBus, model = MODEL) => {
    const opening = RemoteChannel.open<AddingWork, Sum>({
      ...{ component, model, bus: bus.connect(), timers: clock, newId, streamOf: streamOf as never },
      onHost: (_component, host, what) => told.push(`${host} ${what}`),
    });
    opening.catch(() => {});
    await bus.settled();
    await clock.runFor(1000);
    const channel = await opening;
    return { channel, front: new ComponentFront('adder', channel, streamOf, LIMITS) };
  };

  it('executes the items of a stream in the order of the calls, forks and cuts in between', async () => {
    const bus = new MemoryBus();
    adder(bus.connect(), clock, 'a');
    const { front } = await open(bus);
    const a = front.open();
    const first = front.step([{ stream: a, value: 5 }]);
    const b = front.fork(a);
    const second = front.step([
      { stream: b, value: 10 },
      { stream: a, value: 1 },
    ]);
    front.truncate(a, 2);
    const third = front.step([{ stream: a, value: 3 }]);
    const sums = (await Promise.all([first, second, third])).map(answers =>
      answers.map(answer => answer!.sum[0]),
    );
    expect(sums).toEqual([[5], [15, 6], [5]]);
    front.close(a);
    expect(await front.step([{ stream: a, value: 1 }])).toEqual([null]);
  });

  it('is on all hosts there are: streams stay where they are, new ones begin where the fewest are', async () => {
    const bus = new MemoryBus();
    const [a, b] = ['a', 'b'].map(host => adder(bus.connect(), clock, host));
    const { channel, front } = await open(bus);
    const streams = Array.from({ length: 6 }, () => front.open());
    const all = (value: number) => front.step(streams.map(stream => ({ stream, value })));
    expect((await all(1)).map(answer => answer!.sum[0])).toEqual([1, 1, 1, 1, 1, 1]);
    expect([a.streams, b.streams]).toEqual([3, 3]);
    const c = adder(bus.connect(), clock, 'c');
    a.retire();
    for (let look = 0; look < 3; look++) {
      await clock.runFor(2100);
      await bus.settled();
      await clock.runFor(100);
    }
    for (let i = 0; i < 3; i++) streams.push(front.open());
    expect((await all(2)).map(answer => answer!.sum[0])).toEqual([3, 3, 3, 3, 3, 3, 2, 2, 2]);
    expect([a.streams, b.streams, c.streams]).toEqual([3, 3, 3]);
    expect(channel.hosts).toContainEqual({ host: 'a', streams: 3, isLeaving: true });
    for (const stream of streams.splice(0, 6, ...streams.slice(6))) front.close(stream);
    await bus.settled();
    await clock.runFor(4200);
    await bus.settled();
    await clock.runFor(100);
    expect(channel.hosts.map(({ host }) => host).sort()).toEqual(['b', 'c']);
    expect(a.clients).toBe(0);
  });

  it('loses with a host that host’s streams, and with the last one all', async () => {
    const bus = new MemoryBus();
    const [first, second] = [bus.connect(), bus.connect()];
    for (const [i, connection] of [first, second].entries()) adder(connection, clock, 'ab'[i]);
    told.length = 0;
    const { channel, front } = await open(bus);
    const changes: string[] = [];
    channel.supervise(state => changes.push(state));
    const [one, two] = [front.open(), front.open()];
    const both = () =>
      front.step([
        { stream: one, value: 1 },
        { stream: two, value: 1 },
      ]);
    await both();
    second.cut();
    const ends = async () => {
      const error = await both().catch(cause => cause);
      expect(error).toBeInstanceOf(PartlyFailed);
      return (error as PartlyFailed).ends.map(end => (end as RuntimeError).code ?? (end as Sum).sum[0]);
    };
    expect(await ends()).toEqual([2, 'remote.host-lost']);
    expect(await ends()).toEqual([3, 'engine.stream-lost']);
    front.close(two);
    const again = front.open();
    expect((await front.step([{ stream: again, value: 7 }]))[0]!.sum[0]).toBe(7);
    expect([channel.hosts.map(({ host }) => host), changes]).toEqual([['a'], []]);
    first.cut();
    expect(await codeOf(front.step([{ stream: one, value: 1 }]))).toBe('remote.host-lost');
    expect(changes).toEqual(['down']);
    adder(bus.connect(), clock, 'c');
    channel.start();
    await bus.settled();
    await clock.runFor(100);
    expect(changes).toEqual(['down', 'starting', 'ready']);
    expect(await codeOf(front.step([{ stream: one, value: 1 }]))).toBe('engine.stream-lost');
    expect(told).toEqual(['a came', 'b came', 'b lost', 'a lost', 'c came']);
  });

  it('gives up, of several hosts, the one that hangs', async () => {
    const bus = new MemoryBus();
    const hung = bus.connect();
    for (const [i, connection] of [bus.connect(), hung].entries()) adder(connection, clock, 'ab'[i]);
    const { channel, front } = await open(bus);
    channel.supervise(() => {});
    const [one, two] = [front.open(), front.open()];
    const works = [one, two].map(stream => ({ stream, value: 1 }));
    await front.step(works);
    hung.hang();
    const step = front.step(works).catch(error => error);
    await bus.settled();
    channel.giveUp(new RuntimeError('engine.overdue', 'A step did not end.'));
    const { ends } = (await step) as PartlyFailed;
    expect([(ends[0] as Sum).sum[0], (ends[1] as RuntimeError).code]).toEqual([2, 'engine.overdue']);
    expect([channel.state, channel.hosts.map(({ host }) => host)]).toEqual(['ready', ['a']]);
  });

  it('waits no longer for a host that hangs than its supervisor does, and late answers of it are not heard', async () => {
    const bus = new MemoryBus();
    adder(bus.connect(), clock, 'a');
    const { channel, front } = await open(bus);
    channel.supervise(() => {});
    const stream = front.open();
    const step = front.step([{ stream, value: 1 }]);
    channel.giveUp(new RuntimeError('engine.overdue', 'A step did not end.'));
    expect(await codeOf(step)).toBe('engine.overdue');
    channel.start();
    await bus.settled();
    await clock.runFor(100);
    const next = front.open();
    expect((await front.step([{ stream: next, value: 2 }]))[0]!.sum[0]).toBe(2);
  });

  it('closes what a client left open, and hears no client that says nonsense', async () => {
    const bus = new MemoryBus();
    const a = adder(bus.connect(), clock, 'a');
    const leaving = bus.connect();
    const opening = RemoteChannel.open<AddingWork, Sum>({
      component,
      model: MODEL,
      bus: leaving,
      timers: clock,
      newId,
      streamOf: streamOf as never,
    });
    await bus.settled();
    await clock.runFor(100);
    const front = new ComponentFront('adder', await opening, streamOf, LIMITS);
    await front.step([{ stream: front.open(), value: 1 }]);
    const { front: other } = await open(bus);
    const stream = other.open();
    await other.step([{ stream, value: 1 }]);
    expect(a.streams).toBe(2);

    leaving.cut();
    await clock.runFor(2000);
    await bus.settled();
    expect(a.streams).toBe(1);
    const rude = bus.connect();
    for (const bytes of [[], [0, 0, 0, 1, 0, 0, 0, 2, 9], [0, 0, 0, 0, 0, 0, 0, 1, 0xc1]])
      rude.publish(`longcat.1.${component}.a.rude`, Uint8Array.from(bytes));
    const wrong = packed({ kind: 'command' } as never);
    for (const part of partsOf(wrong, bus.maxMessageBytes))
      rude.publish(`longcat.1.${component}.a.ruder`, part);
    await bus.settled();
    expect((await other.step([{ stream, value: 1 }]))[0]!.sum[0]).toBe(2);
  });

  it('is refused where nobody serves it, and where its weights are others', async () => {
    const bus = new MemoryBus();
    expect(await codeOf(open(bus))).toBe('remote.no-host');
    adder(bus.connect(), clock, 'a', { name: 'adder', hash: 'other' });
    expect(await codeOf(open(bus))).toBe('remote.other-model');
  });

  it('sends long messages in parts, which do not come together in another order', () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
    const parts = partsOf(bytes, 1024);
    expect(parts.every(part => part.length <= 1024)).toBe(true);
    const joiner = new Joiner();
    const whole = parts.map(part => joiner.push(part));
    expect(whole.slice(0, -1).every(part => part === null)).toBe(true);
    expect(whole.at(-1)).toEqual(bytes);
    expect(() => [parts[0], parts[2]].map(part => joiner.push(part))).toThrow(
      expect.objectContaining({ code: 'remote.malformed' }),
    );
  });
});

/** What each component answers. */
async function answersOf(engine: Engine): Promise<unknown[]> {
  const { languageModel, audioEncoder, visionEncoder, speechTokenizer, ganDecoder, model } = engine;
  const [sequence, ear, mouth] = [languageModel.open(), audioEncoder.open(), ganDecoder.open()];
  const samples = Float32Array.from({ length: model.inputSampleRate }, (_, i) => Math.sin(i * i * 1e-5) / 2);
  const data = Uint8Array.from({ length: 3 * 96 * 64 }, (_, i) => (i * 7) % 256);
  return [
    await languageModel.step([{ sequence, positions: textPositions([1, 5, 9]) }]),
    await languageModel.step([{ sequence, positions: textPositions([4, 4]) }]),
    await audioEncoder.step([{ stream: ear, samples, finish: true }]),
    await visionEncoder.step([{ frames: [{ width: 96, height: 64, data }], maxTokens: 0 }]),
    await speechTokenizer.step([{ samples }]),
    await ganDecoder.step([{ stream: mouth, codes: new Int32Array(32).fill(40), finish: true }]),
  ];
}

const hasNats = spawnSync('nats-server', ['--version']).status === 0;
if (!hasNats)
  console.warn('NOT TESTED: components over NATS; install one (Debian: apt-get install nats-server).');

describe('an engine whose components are elsewhere', () => {
  const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-remote-'));
  const modelDirectory = join(directory, 'model');
  writeSeededCheckpoint(modelDirectory, { seed: 1 });
  const { kind } = fastestEngine();
  const COMPONENTS = [
    'languageModel',
    'audioEncoder',
    'visionEncoder',
    'speechTokenizer',
    'ganDecoder',
  ] as const;
  const closing: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  async function answersOver(connect: () => Promise<Bus>): Promise<unknown[]> {
    const timers = {
      nowMs: () => performance.now(),
      setTimer: (ms: number, action: () => void) => timer(ms, action),
    };
    const local = { kind, modelDirectory, inline: true } as const;
    const serving = await createEngine(local);
    for (const name of COMPONENTS) {
      const hosted = serving[name] as unknown as HostedComponent;
      const bus = await connect();
      const host = new ComponentHost({
        ...{
          component: name,
          hosted,
          streamOf: await streamOfComponent(name),
          host: `${name}1`,
          model: MODEL,
          bus,
          timers,
        },
      });
      closing.push(
        () => bus.close(),
        () => host.close(),
      );
    }
    const bus = await connect();
    const open = (name: (typeof COMPONENTS)[number]) =>
      streamOfComponent(name).then(streamOf =>
        RemoteChannel.open<never, never>({ component: name, model: MODEL, bus, timers, newId, streamOf }),
      );
    const place = Object.fromEntries(COMPONENTS.map(name => [name, open]));
    const engine = await createEngine({ ...local, place });
    closing.push(
      () => bus.close(),
      () => engine.close(),
    );
    return answersOf(engine);
  }

  async function answersHere(): Promise<unknown[]> {
    const engine = await createEngine({ kind, modelDirectory, inline: true });
    return answersOf(engine);
  }

  it('answers the same bits, in messages of 4 KiB', async () => {
    const bus = new MemoryBus();
    expect(await answersOver(async () => bus.connect())).toEqual(await answersHere());
  });

  it.skipIf(!hasNats)('answers the same bits over NATS', async () => {
    const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', '-1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    closing.push(() => server.kill());
    const url = await listening(server);
    expect(await answersOver(() => connectNats(url))).toEqual(await answersHere());
    expect(await codeOf(connectNats('nats://127.0.0.1:1'))).toBe('remote.no-bus');
  });
});

function timer(ms: number, action: () => void): { cancel(): void } {
  const handle = setTimeout(action, ms);
  return { cancel: () => clearTimeout(handle) };
}

/** The address that the server chose. */
function listening(server: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    let said = '';
    server.stderr!.on('data', (part: Buffer) => {
      said += part.toString();
      const port = /client connections on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port) resolve(`nats://127.0.0.1:${port}`);
    });
  });
}
