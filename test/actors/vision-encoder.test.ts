import { describe, expect, it } from 'vitest';
import { engineOnClock } from '../../actors/core/index.ts';
import {
  type VisionEncoderOutput,
  type VisionEncoderPorts,
  visionEncoderActor,
} from '../../actors/vision-encoder/index.ts';
import { ActorStage } from '../support/actor-stage.ts';
import { type ZeroLatencyOptions, zeroLatencyEngine } from '../support/zero-latency-engine.ts';

const PICTURE = { width: 2, height: 2, data: new Uint8Array(12) };

/** A step takes 50 ms. */
class Stage extends ActorStage<VisionEncoderPorts, VisionEncoderOutput> {
  readonly batches: number[];

  constructor(options: ZeroLatencyOptions = {}) {
    const batches: number[] = [];
    const engine = zeroLatencyEngine({ onStep: (_, batch) => batches.push(batch.length), ...options });
    super(({ clock }) =>
      visionEncoderActor({ engine: engineOnClock(engine, clock, { visionEncoder: () => 50 }), maxBatch: 4 }),
    );
    this.batches = batches;
  }

  show(session: string, port: 'video' | 'picture', ...unitIds: string[]): void {
    for (const unitId of unitIds)
      this.send(session, port, { unitId, frames: [PICTURE], maxTokens: 8, capturedAtMs: this.clock.nowMs() });
  }

  answers(session: string): string[] {
    return this.of(session).map(({ type, unitId }) => `${type} ${unitId}`);
  }
}

describe('units', () => {
  it('of a session are answered in order, with their time, vectors and grid', async () => {
    const stage = new Stage();
    stage.show('a', 'video', 'v0');
    await stage.run(10);
    stage.show('a', 'video', 'v1');
    await stage.rest();
    expect(stage.of('a')).toMatchObject([
      { type: 'unit', unitId: 'v0', capturedAtMs: 0, count: 8, grid: [1, 8] },
      { type: 'unit', unitId: 'v1', capturedAtMs: 10 },
    ]);
  });

  it('of live video give way to newer ones, and each is answered once', async () => {
    const stage = new Stage();
    stage.show('a', 'video', 'v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6');
    await stage.rest();
    expect(stage.answers('a')).toEqual([
      'dropped v1',
      'dropped v2',
      'unit v0',
      'unit v3',
      'unit v4',
      'unit v5',
      'unit v6',
    ]);
  });

  it('that are pictures of items go first and are never dropped', async () => {
    const stage = new Stage();
    stage.show('a', 'video', 'v0', 'v1', 'v2');
    stage.show('a', 'picture', 'p0', 'p1', 'p2', 'p3', 'p4', 'p5');
    await stage.rest();
    const order = ['v0', 'p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'v1', 'v2'];
    expect(stage.answers('a')).toEqual(order.map(unitId => `unit ${unitId}`));
  });

  it('beyond the bound of pictures fail, readably', async () => {
    const stage = new Stage();
    stage.show('a', 'picture', ...Array.from({ length: 70 }, (_, i) => `p${i}`));
    await stage.rest();
    const failed = stage.of('a').filter(({ type }) => type === 'failed');
    expect(failed).toHaveLength(70 - 64 - 1);
    expect(failed[0]).toMatchObject({ code: 'vision-encoder.backlog' });
  });

  it('of many sessions share steps, one unit each, in turn', async () => {
    const stage = new Stage();
    const sessions = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const session of sessions) stage.show(session, 'video', 'v0', 'v1');
    await stage.rest();
    expect(stage.batches).toEqual([1, 4, 4, 3]);
    for (const session of sessions) expect(stage.answers(session)).toEqual(['unit v0', 'unit v1']);
  });

  it('of a closed session are not answered', async () => {
    const stage = new Stage();
    stage.show('a', 'video', 'v0', 'v1');
    await stage.run(10);
    stage.send('a', 'control', { type: 'close' });
    await stage.rest();
    expect(stage.outputs).toEqual([]);
  });
});

describe('when the engine fails', () => {
  it('once, the units are tried again and everything is answered', async () => {
    const stage = new Stage({ fails: (_, step) => step === 1 });
    for (const session of ['a', 'b', 'c']) stage.show(session, 'video', 'v0', 'v1');
    await stage.rest();
    for (const session of ['a', 'b', 'c']) expect(stage.answers(session)).toEqual(['unit v0', 'unit v1']);
  });

  it('for ever, every unit fails once', async () => {
    const stage = new Stage({ fails: () => true });
    stage.show('a', 'video', 'v0', 'v1');
    await stage.rest();
    expect(stage.answers('a')).toEqual(['failed v0', 'failed v1']);
  });
});
