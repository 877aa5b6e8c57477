import { NEVER } from 'rxjs';
import { expect, it } from 'vitest';
import { engineBehaviour } from '../../actors/core/engine-actor.ts';
import { engineWithSteps, type Logger, superviseEngine, VirtualClock } from '../../actors/core/index.ts';
import { type ComponentFault, type ComponentRecovery, notServing } from '../../actors/health.ts';
import { FaultyEngine, type FaultyOptions } from '../support/faulty-engine.ts';
import { PartlyFailed } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';

const DEADLINE_MS = 250;

const outcomeOf = (step: PromiseLike<unknown>): PromiseLike<string> =>
  step.then(
    () => 'no error',
    (error: RuntimeError) => error.code,
  );

function rig(options: FaultyOptions = {}) {
  const clock = new VirtualClock();
  const faulty = new FaultyEngine(zeroLatencyEngine(), clock, options);
  const lines: { readonly text: string; readonly values: object }[] = [];
  const line = (values: object, text: string) => void lines.push({ text, values });
  const log: Logger = { debug() {}, info: line, warn: line, error: line };
  const { engine, health } = superviseEngine(faulty.engine, { clock, log, stepDeadlineMs: DEADLINE_MS });
  const faults: ComponentFault[] = [];
  const recoveries: ComponentRecovery[] = [];
  health.faults$.subscribe(fault => faults.push(fault));
  health.recoveries$.subscribe(recovery => recoveries.push(recovery));
  /** A step of the vision encoder with a picture of so many pixels; what became of it and when. */
  const look = (pixels = 64) => {
    const result = { code: 'pending', atMs: -1 };
    const frames = [{ width: pixels, height: 1, data: new Uint8Array(3 * pixels) }] as const;
    void outcomeOf(engine.visionEncoder.step([{ frames, maxTokens: 4 }])).then(code => {
      Object.assign(result, { code, atMs: clock.nowMs() });
    });
    return result;
  };
  /** So that its cost is known. */
  const measured = async () => {
    look();
    await clock.runFor(1);
  };
  return { clock, faulty, engine, health, faults, recoveries, lines, look, measured };
}

it('gives a step that hangs its deadline and no more, and the next one a component that serves', async () => {
  const { clock, faulty, faults, recoveries, health, lines, look, measured } = rig();
  await measured();
  faulty.strike('visionEncoder', 'hang');
  const hanging = look();
  await clock.runFor(DEADLINE_MS);
  expect(hanging.code).toBe('pending');
  await clock.runFor(21);
  expect(hanging).toEqual({ code: 'engine.overdue', atMs: 1 + DEADLINE_MS + 20 });
  expect(notServing(health)).toEqual(['vision-encoder']);
  const next = look();
  await clock.runFor(60);
  expect(next.code).toBe('no error');
  expect(notServing(health)).toEqual([]);
  expect(faults).toMatchObject([{ component: 'vision-encoder', kind: 'overdue', code: 'engine.overdue' }]);
  expect(recoveries).toEqual([{ component: 'vision-encoder', downMs: 50 }]);
  expect(lines.map(({ text }) => text)).toEqual(['component fault', 'component serves again']);
});

it('starts a component that died at once three times, then after pauses that double up to 30 s, for ever', async () => {
  const { clock, faulty, faults, recoveries, measured, look } = rig({ loadMs: 10 });
  await measured();
  const pauses: number[] = [];
  for (let crash = 0; crash < 13; crash++) {
    const { length } = recoveries;
    faulty.strike('visionEncoder', 'kill');
    while (recoveries.length === length) await clock.runFor(5);
    pauses.push(recoveries.at(-1)!.downMs - 10);
  }
  expect(pauses).toEqual([0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  expect(faults.map(({ kind }) => kind)).toEqual(Array(13).fill('crash'));
  const after = look();
  await clock.runFor(1);
  expect(after.code).toBe('no error');
  // Who has served for a while has recovered: the next failure is the first.
  await clock.runFor(10_000);
  faulty.strike('visionEncoder', 'kill');
  await clock.runFor(11);
  expect(recoveries.at(-1)!.downMs).toBe(10);
});

it('tells of a step that took more than half its deadline, and waits for it', async () => {
  const { clock, faulty, faults, look, measured } = rig({ slowMs: 200 });
  await measured();
  faulty.strike('visionEncoder', 'slow');
  const slow = look();
  await clock.runFor(300);
  expect(slow).toEqual({ code: 'no error', atMs: 201 });
  expect(faults).toMatchObject([{ kind: 'slow', code: 'engine.slow' }]);
});

it('takes an answer that was under way when the deadline passed', async () => {
  const { clock, faulty, faults, look, measured } = rig({ slowMs: DEADLINE_MS + 15 });
  await measured();
  faulty.strike('visionEncoder', 'slow');
  const late = look();
  await clock.runFor(400);
  expect(late.code).toBe('no error');
  expect(faults.map(({ kind }) => kind)).toEqual(['slow']);
});

it('lets large steps take what large steps have taken, and small ones no longer than before', async () => {
  const { clock, faulty, faults, look, measured } = rig({ slowMs: 240 });
  await measured();
  for (let i = 0; i < 3; i++) {
    faulty.strike('visionEncoder', 'slow');
    look(4096); // Four times 240 ms may pass from now on.
    await clock.runFor(300);
  }
  faults.length = 0;
  faulty.strike('visionEncoder', 'hang');
  const large = look(4000);
  await clock.runFor(4 * 240);
  expect(large.code).toBe('pending');
  await clock.runFor(100);
  expect(large.code).toBe('engine.overdue');
  await measured();
  faulty.strike('visionEncoder', 'hang');
  const small = look();
  await clock.runFor(DEADLINE_MS + 21);
  expect(small.code).toBe('engine.overdue');
});

it('refuses what waits longer than 5 s, and what comes then, until the component is back', async () => {
  const { clock, faulty, health, look, measured } = rig({ loadMs: 7000 });
  await measured();
  faulty.strike('visionEncoder', 'kill');
  await clock.runFor(1);
  const waiting = look();
  await clock.runFor(4990);
  expect(waiting.code).toBe('pending');
  await clock.runFor(20);
  expect(waiting.code).toBe('engine.component-down');
  const refused = look();
  await clock.runFor(1);
  expect(refused.code).toBe('engine.component-down');
  expect(notServing(health)).toEqual(['vision-encoder']);
  await clock.runFor(3000);
  const served = look();
  await clock.runFor(1);
  expect(served.code).toBe('no error');
});

it('starts a component anew whose steps fail one after the other', async () => {
  const { clock, faulty, faults, recoveries, look, measured } = rig();
  await measured();
  for (const _ of [1, 2]) {
    faulty.strike('visionEncoder', 'throw');
    look();
    await clock.runFor(1);
  }
  await clock.runFor(60);
  expect(faults.map(({ kind }) => kind)).toEqual(['error', 'error']);
  expect(recoveries).toHaveLength(1);
});

it('does not take what a caller did wrong for a fault', async () => {
  const { clock, engine, faults } = rig();
  const stream = engine.ganDecoder.open();
  engine.ganDecoder.close(stream);
  void outcomeOf(engine.ganDecoder.step([{ stream: 999, codes: new Int32Array(4), finish: false }]));
  await clock.runFor(10);
  expect(faults).toEqual([]);
});

it('takes what fails on one of several hosts for a fault of that host: the others’ works have their answers', async () => {
  const clock = new VirtualClock();
  const lost = new RuntimeError('remote.host-lost', 'gone');
  const codes: (string | null)[] = [];
  const plan = (work: number) => ({
    work,
    answered: (answer: string | null) => void codes.push(answer),
    failed: ({ code }: RuntimeError) => void codes.push(code),
  });
  const picture = { width: 1, height: 1, data: new Uint8Array(3) };
  const waiting = [[plan(1), plan(2), plan(3)]];
  const log: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const inner = engineWithSteps(zeroLatencyEngine(), async () => {
    throw new PartlyFailed(['fine', lost, null]);
  });
  const { engine, health } = superviseEngine(inner, { clock, log, stepDeadlineMs: DEADLINE_MS });
  const faults: ComponentFault[] = [];
  health.faults$.subscribe(fault => faults.push(fault));
  const behaviour = engineBehaviour<never, never, number, string>(
    () => ({ receive() {}, plan: () => waiting.pop() ?? [], stop() {} }),
    batch => engine.visionEncoder.step(batch.map(() => ({ frames: [picture], maxTokens: 4 }))) as never,
  );
  behaviour({ messages$: NEVER, take: () => [] } as never, {} as never).subscribe();
  await clock.runFor(1);
  expect(codes).toEqual(['fine', 'remote.host-lost', null]);
  expect(faults).toMatchObject([{ component: 'vision-encoder', kind: 'crash', code: 'remote.host-lost' }]);
});
