import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual as isEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { InlineChannel } from '../../kernels/engine/channel.ts';
import { ComponentFront } from '../../kernels/engine/component-front.ts';
import {
  createEngine,
  ENGINE_COMPONENTS,
  type Engine,
  fastestEngine,
  kindsOf,
  type Places,
  textPositions,
} from '../../kernels/engine/index.ts';
import { Standby } from '../../kernels/engine/standby.ts';
import { WorkerChannel } from '../../kernels/engine/worker-channel.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { type AddingWork, loadService, streamOf } from '../support/crashing-service.js';

interface Sum {
  readonly sum: Float32Array;
}

const ENTRY = new URL('../support/crashing-service.js', import.meta.url).href;
const LIMITS = { maxOutstandingSteps: 4 };

const codeOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => 'no error',
    error => (error instanceof RuntimeError ? error.code : `not a RuntimeError: ${error}`),
  );

async function untilReady(standby: Standby): Promise<void> {
  while (!standby.isReady) await new Promise(setImmediate);
}

describe.each(['inline', 'workers'] as const)('a component %s', placement => {
  let close: () => Promise<void> = async () => {};

  async function openFront(): Promise<ComponentFront<AddingWork, Sum>> {
    const channel =
      placement === 'inline'
        ? new InlineChannel<AddingWork, Sum>(loadService({}), streamOf)
        : await WorkerChannel.open<AddingWork, Sum>('adder', { entry: ENTRY, options: {} });
    close = () => channel.close();
    return new ComponentFront('adder', channel, streamOf, LIMITS);
  }

  it('executes the items of a stream in the order of the calls, forks and cuts in between', async () => {
    const front = await openFront();
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
    await close();
  });

  it('answers null for a stream closed while its work waits, and harms no other', async () => {
    const front = await openFront();
    const [a, b] = [front.open(), front.open()];
    const answer = front.step([
      { stream: a, value: 1 },
      { stream: b, value: 2 },
    ]);
    front.close(a);
    const [ofA, ofB] = await answer;
    expect(ofA).toBeNull();
    expect(ofB!.sum[0]).toBe(2);
    expect(await front.step([{ stream: a, value: 1 }])).toEqual([null]);
    await close();
  });

  it('refuses more outstanding steps than its bound, and two items of one stream', async () => {
    const front = await openFront();
    const a = front.open();
    const accepted = Array.from({ length: 4 }, () => front.step([{ stream: a, value: 1 }]));
    expect(await codeOf(front.step([{ stream: a, value: 1 }]))).toBe('engine.overloaded');
    expect((await Promise.all(accepted)).map(([answer]) => answer!.sum[0])).toEqual([1, 2, 3, 4]);
    const twice = [
      { stream: a, value: 1 },
      { stream: a, value: 1 },
    ];
    expect(await codeOf(front.step(twice))).toBe('engine.duplicate-stream');
    await close();
  });

  it('rejects a failing step with a readable error and goes on', async () => {
    const front = await openFront();
    const [a, b] = [front.open(), front.open()];
    const failed = front.step([{ stream: a, value: 1, fate: 'throw' }]);
    await expect(failed).rejects.toMatchObject({
      code: 'engine.failed',
      values: { cause: 'No, not this one.' },
    });
    expect((await front.step([{ stream: b, value: 2 }]))[0]!.sum[0]).toBe(2);
    front.truncate(b, 100);
    expect(await codeOf(front.step([{ stream: b, value: 2 }]))).toBe('engine.failed');
    await close();
  });

  it('rejects everything after close', async () => {
    const front = await openFront();
    const a = front.open();
    await close();
    expect(await codeOf(front.step([{ stream: a, value: 1 }]))).toBe('engine.closed');
  });
});

describe('a component in a worker thread', () => {
  const openChannel = (options = {}) =>
    WorkerChannel.open<AddingWork, Sum>('adder', { entry: ENTRY, options });

  it('rejects what is pending when its thread dies, forgets its streams, and serves new ones', async () => {
    const channel = await openChannel();
    const front = new ComponentFront('adder', channel, streamOf, LIMITS);
    const a = front.open();
    const crashing = front.step([{ stream: a, value: 1, fate: 'crash' }]);
    const behind = front.step([{ stream: a, value: 1 }]);
    expect(await codeOf(crashing)).toBe('engine.failed');
    expect(await codeOf(behind)).toBe('engine.failed');
    expect(await codeOf(front.step([{ stream: a, value: 1 }]))).toBe('engine.stream-lost');
    const b = front.open();
    expect((await front.step([{ stream: b, value: 3 }]))[0]!.sum[0]).toBe(3);
    await channel.close();
  });

  it('hears of a close while it computes, and leaves out what still waits', async () => {
    const channel = await WorkerChannel.open<AddingWork, Sum>('adder', { entry: ENTRY, options: {} });
    const front = new ComponentFront('adder', channel, streamOf, LIMITS);
    const [a, b] = [front.open(), front.open()];
    const running = front.step([{ stream: a, value: 1, fate: 'until-closed' }]);
    const waiting = front.step([{ stream: b, value: 1, fate: 'crash' }]);
    front.close(b);
    front.close(a);
    expect(await running).toEqual([null]);
    expect(await waiting).toEqual([null]);
    expect(channel.incarnation).toBe(0);
    await channel.close();
  });

  it('is never given up: after every crash it is started again when somebody wants something', async () => {
    const channel = await openChannel();
    const front = new ComponentFront('adder', channel, streamOf, LIMITS);
    for (let crash = 0; crash < 4; crash++) {
      const step = front.step([{ stream: front.open(), value: 1, fate: 'crash' }]);
      expect(await codeOf(step)).toBe('engine.failed');
      expect(channel.state).toBe('down');
    }
    expect((await front.step([{ stream: front.open(), value: 3 }]))[0]!.sum[0]).toBe(3);
    expect(channel.incarnation).toBe(4);
    await channel.close();
  }, 300_000); // Four threads are loaded, one after the other.

  it('stays down under a supervisor until told, and then serves what waited', async () => {
    const channel = await openChannel();
    const states: string[] = [];
    channel.supervise((state, error) => states.push(error ? `${state}: ${error.code}` : state));
    const front = new ComponentFront('adder', channel, streamOf, LIMITS);
    await codeOf(front.step([{ stream: front.open(), value: 1, fate: 'crash' }]));
    const [given, refused] = [front.open(), front.open()];
    const early = codeOf(front.step([{ stream: refused, value: 4 }]));
    channel.refuse(new RuntimeError('engine.component-down', 'It is down.'));
    expect(await early).toBe('engine.component-down');
    const waiting = front.step([{ stream: given, value: 3 }]);
    expect(states).toEqual(['down: engine.failed']);
    channel.start();
    expect((await waiting)[0]!.sum[0]).toBe(3);
    expect(states).toEqual(['down: engine.failed', 'starting', 'ready']);
    await channel.close();
  });

  it('that hangs can be given up: what is pending rejects with why, another thread serves', async () => {
    const channel = await openChannel();
    const front = new ComponentFront('adder', channel, streamOf, LIMITS);
    const a = front.open();
    const hanging = front.step([{ stream: a, value: 1, fate: 'hang' }]);
    const behind = front.step([{ stream: a, value: 1 }]);
    channel.giveUp(new RuntimeError('engine.overdue', 'It took too long.'));
    expect(await codeOf(hanging)).toBe('engine.overdue');
    expect(await codeOf(behind)).toBe('engine.overdue');
    expect(await codeOf(front.step([{ stream: a, value: 1 }]))).toBe('engine.stream-lost');
    expect((await front.step([{ stream: front.open(), value: 3 }]))[0]!.sum[0]).toBe(3);
    await channel.close();
  });

  it('is replaced at once by a standby thread, which has every component loaded', async () => {
    const standby = new Standby({
      adder: { entry: ENTRY, options: {} },
      other: { entry: ENTRY, options: {} },
    });
    const channel = await WorkerChannel.open<AddingWork, Sum>(
      'adder',
      { entry: ENTRY, options: {} },
      standby,
    );
    const front = new ComponentFront('adder', channel, streamOf, LIMITS);
    standby.prepare();
    await untilReady(standby);
    channel.giveUp(new RuntimeError('engine.overdue', 'It took too long.'));
    channel.start();
    expect(channel.state).toBe('ready');
    expect(standby.isReady).toBe(false);
    expect((await front.step([{ stream: front.open(), value: 3 }]))[0]!.sum[0]).toBe(3);
    standby.prepare();
    await untilReady(standby); // The next one.
    await Promise.all([channel.close(), standby.close()]);
  });

  it('can be closed while it computes, and rejects what is pending', async () => {
    const channel = await openChannel();
    const pending = codeOf(channel.step([{ stream: 1, value: 1, fate: 'hang' }]));
    await channel.close();
    expect(await pending).toBe('engine.closed');
  });

  it('says why it could not be loaded', async () => {
    await expect(openChannel({ refuses: true })).rejects.toMatchObject({
      code: 'engine.failed',
      values: { cause: 'The weights are of another world.' },
    });
  });
});

const SPEECH = Float32Array.from({ length: 16_000 }, (_, i) => 0.3 * Math.sin(i / 9) * Math.sin(i / 1000));
const PICTURE = {
  width: 64,
  height: 48,
  data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 31) % 256),
};
const CODES = Int32Array.from({ length: 4 * 17 }, (_, i) => (i * 7) % 4);
const SAMPLE = {
  textHistory: new Int32Array(0),
  codeHistories: [0, 1, 2, 3].map(() => new Int32Array(0)),
  temperature: 1,
  topK: 5,
  topP: 1,
  repetitionPenalty: 1,
  draw: 0.4,
  speech: true,
};

/** Of every component to the same works. */
async function answersOf(engine: Engine) {
  const { languageModel, audioEncoder, visionEncoder, speechTokenizer, ganDecoder } = engine;
  const sequence = languageModel.open();
  const audio = audioEncoder.open();
  await audioEncoder.step([{ stream: audio, samples: SPEECH, finish: false }]);
  const fork = audioEncoder.fork(audio);
  const voice = ganDecoder.open();
  return {
    languageModel: await languageModel.step([
      { sequence, positions: textPositions([5, 6, 7]), sample: SAMPLE },
    ]),
    audioEncoder: await audioEncoder.step([{ stream: fork, samples: SPEECH.subarray(0, 100), finish: true }]),
    visionEncoder: await visionEncoder.step([{ frames: [PICTURE], maxTokens: 16 }]),
    speechTokenizer: await speechTokenizer.step([{ samples: SPEECH }]),
    ganDecoder: await ganDecoder.step([{ stream: voice, codes: CODES, finish: true }]),
  };
}

describe('the reference engine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-engine-'));
  let inline: Engine;
  let workers: Engine;

  beforeAll(async () => {
    writeSeededCheckpoint(directory, { seed: 7, dimensions: tinyDimensions });
    inline = await createEngine({ kind: 'reference', modelDirectory: directory, inline: true });
    workers = await createEngine({ kind: 'reference', modelDirectory: directory });
  });

  afterAll(async () => {
    await Promise.all([inline?.close(), workers?.close()]);
    rmSync(directory, { recursive: true, force: true });
  });

  it('reads what the actors need to know from the directory', () => {
    expect(workers.model).toEqual(inline.model);
    expect(workers.model).toMatchObject({
      inputSampleRate: 16_000,
      outputSampleRate: 24_000,
      samplesPerCodeFrame: 1440,
      audioVectorMs: 80,
      firstAudioVectorMs: 95,
      codeFrameMs: 60,
      tokens: { eos: 2, pad: 3, audioBegin: 134, audioEnd: 135, audioPad: 136, pause: 137, imagePad: 142 },
    });
  });

  it('gives the same bits in worker threads as in-process, in every component', async () => {
    const [a, b] = [await answersOf(inline), await answersOf(workers)];
    expect(b).toEqual(a);
    expect(a.audioEncoder[0]!.vectors.length).toBe(a.audioEncoder[0]!.count * inline.model.hiddenSize);
    expect(a.speechTokenizer[0]!.frames).toBe(Math.ceil(16_000 / 960));
    expect(a.ganDecoder[0]!.samples.length).toBe(CODES.length * 360);
  });

  it.skipIf(fastestEngine().kind !== 'cpu')(
    'has each component served by the kernels of its place, with the bits of those',
    async () => {
      const cpu = await createEngine({ kind: 'cpu', modelDirectory: directory, inline: true });
      const [byReference, byCpu] = [await answersOf(inline), await answersOf(cpu)];
      await cpu.close();
      const differs = ENGINE_COMPONENTS.filter(name => !isEqual(byReference[name], byCpu[name]));
      expect(differs.length).toBeGreaterThanOrEqual(3); // Or this test could not tell who served.
      const first: Places = { languageModel: 'cpu', visionEncoder: 'cpu' };
      const here = await createEngine({
        kind: 'reference',
        place: first,
        modelDirectory: directory,
        inline: true,
      });
      const { languageModel, visionEncoder } = byCpu;
      expect(await answersOf(here)).toEqual({ ...byReference, languageModel, visionEncoder });
      await here.close();
      const second: Places = { languageModel: 'reference', ganDecoder: 'reference' };
      const threads = await createEngine({ kind: 'cpu', place: second, modelDirectory: directory });
      expect(await answersOf(threads)).toEqual({
        ...byCpu,
        languageModel: byReference.languageModel,
        ganDecoder: byReference.ganDecoder,
      });
      await threads.close();
    },
  );

  it('says which component a model lacks when it is used', async () => {
    rmSync(join(directory, 'vision'), { recursive: true });
    const blind = await createEngine({ kind: 'reference', modelDirectory: directory, inline: true });
    const picture = { width: 1, height: 1, data: new Uint8Array(3) };
    expect(await codeOf(blind.visionEncoder.step([{ frames: [picture], maxTokens: 0 }]))).toBe(
      'engine.component-missing',
    );
    await blind.close();
  });

  it('refuses kernels of the caller in other threads than his', async () => {
    const options = { kind: 'reference', modelDirectory: directory, ops: referenceOps } as const;
    expect(await codeOf(createEngine(options))).toBe('engine.ops');
  });

  it('refuses a place that is none', async () => {
    const placed = (place: object) =>
      codeOf(createEngine({ kind: 'reference', place, modelDirectory: directory, inline: true }));
    expect(await placed({ audioDecoder: 'cpu' })).toBe('engine.place');
    expect(await placed({ ganDecoder: 'nats://host:4222' })).toBe('engine.unavailable');
    expect(await placed({ ganDecoder: 'remote' })).toBe('engine.unavailable');
    expect(await placed({ languageModel: 'cuda' })).toBe('engine.unavailable');
    expect(await placed({ speechTokenizer: 'cuda' })).toBe('engine.unavailable');
  });

  it('serves each component by the kernels of the engine, or of its place', () => {
    expect(kindsOf('cuda', { languageModel: 'reference' })).toEqual({
      languageModel: 'reference',
      audioEncoder: 'cuda',
      visionEncoder: 'cuda',
      speechTokenizer: 'cuda',
      ganDecoder: 'cuda',
    });
    expect(kindsOf('reference', { languageModel: 'cuda' })).toMatchObject({
      languageModel: 'cuda',
      audioEncoder: 'reference',
    });
  });

  it('refuses a kind that this build does not have', async () => {
    expect(await codeOf(createEngine({ kind: 'cuda', modelDirectory: directory }))).toBe(
      'engine.unavailable',
    );
  });
});
