/**
 * The actors that a session has for itself, at their ports: what they do when they cannot follow, and when they fail.
 */
import { describe, expect, it } from 'vitest';
import { chunkInterleaverActor } from '../../actors/chunk-interleaver/index.ts';
import {
  createRandom,
  type Envelope,
  engineOnClock,
  type SpawnedActor,
  spawn,
  VirtualClock,
} from '../../actors/core/index.ts';
import { createRuntime, type SessionEvent } from '../../actors/index.ts';
import { frameSamplingActor } from '../../actors/perceive/index.ts';
import { builtInSpeaker, HeardLedger, playOutActor } from '../../actors/play-out/index.ts';
import { turnTakingActor } from '../../actors/turn-taking/index.ts';
import { pushAudio } from '../support/told.ts';
import { zeroLatencyEngine } from '../support/zero-latency-engine.ts';
import { actorRig } from './core/actor-rig.ts';

const picture = (value: number) => ({ width: 1, height: 1, data: Uint8Array.of(value, 0, 0) });

/** Collects what an actor says; `whenFirst` runs inside its first message, so that what it sends has to wait. */
function listen<Out>(actor: SpawnedActor<never, Out>, whenFirst?: () => void): Out[] {
  const said: Out[] = [];
  (actor.output$ as SpawnedActor<never, Out>['output$']).subscribe(({ body }: Envelope<Out>) => {
    said.push(body);
    if (said.length === 1) whenFirst?.();
  });
  return said;
}

describe('frame sampling that cannot follow', () => {
  it('keeps the newest pictures, and what the session tells it overtakes them', () => {
    const { envelope, system } = actorRig();
    const eye = spawn(frameSamplingActor(), system);
    const said = listen(eye as never, () => {
      for (let i = 1; i <= 20; i++) {
        eye.send('video', envelope({ frame: picture(i), capturedAtMs: i * 2000 }));
      }
      eye.send('control', envelope({ type: 'utterance.began' as const }));
      eye.send('control', envelope({ type: 'utterance.over' as const }));
    }) as unknown as { type: string; unit: { capturedAtMs: number } }[];
    eye.send('video', envelope({ frame: picture(0), capturedAtMs: 0 }));
    expect(eye.counters('video')).toMatchObject({ dropped: 12, taken: 9 });
    expect(said.map(({ unit }) => unit.capturedAtMs / 2000)).toEqual([0, 13, 14, 15, 16, 17, 18, 19, 20]);
  });
});

describe('play-out', () => {
  const start = () => {
    const rig = actorRig();
    const ledger = new HeardLedger(rig.clock, 24_000);
    const speaker = builtInSpeaker({ mode: 'burst' });
    const actor = spawn(
      playOutActor({ ledger, sampleRate: 24_000, speaker, reportGraceMs: 2000 }),
      rig.system,
    );
    return { ...rig, actor, said: listen(actor as never) as unknown as { type: string }[] };
  };
  const speech = { type: 'speech', speed: 1, itemId: 'a', samples: new Float32Array(480) } as const;

  it('lets nothing of an earlier future become sound', () => {
    const { actor, envelope, said, system } = start();
    actor.send('control', envelope({ type: 'gate', open: true } as const));
    const late = envelope(speech);
    system.epochs.raise('s');
    actor.send('speech', late);
    expect(said).toEqual([]);
    actor.send('speech', envelope(speech));
    expect(said).toMatchObject([{ type: 'audio', itemId: 'a' }]);
  });

  it('fails loudly when speech comes faster than it can be taken', () => {
    const { actor, envelope, failures } = start();
    let flooded = false;
    actor.output$.subscribe(() => {
      if (flooded) return;
      flooded = true;
      for (let i = 0; i < 1025; i++) actor.send('speech', envelope(speech));
    });
    actor.send('control', envelope({ type: 'gate', open: true } as const));
    actor.send('speech', envelope(speech));
    expect(failures).toEqual(['s play-out mailbox.overflow']);
  });
});

describe('turn-taking', () => {
  it('takes edges one at a time: what a decision causes waits until the decision is complete', () => {
    const { envelope, system } = actorRig();
    const policy = { createResponse: true, interruptResponse: true, speculate: true };
    const actor = spawn(turnTakingActor(policy), system);
    const said: string[] = [];
    actor.output$.subscribe(({ body }) => {
      said.push(body.type === 'state' ? body.state : body.type);
      if (body.type === 'reply') actor.send('edges', envelope({ type: 'playout.finished' as const }));
    });
    actor.send('edges', envelope({ type: 'reply.requested' as const }));
    expect(said).toEqual(['reply', 'agentSpeaking', 'idle']);
  });
});

describe('the chunk interleaver', () => {
  it('gives the tail when its flush and its pictures are there, and takes it back as if it had not been', () => {
    const { envelope, system } = actorRig();
    const actor = spawn(chunkInterleaverActor({ hiddenSize: 1, maxSparseUnits: 10 }), system);
    const said: string[] = [];
    actor.output$.subscribe(({ body }) =>
      said.push(`${body.type} ${body.pieces.map(({ kind }) => kind).join(' ')}`),
    );
    const control = (body: Parameters<typeof actor.send<'control'>>[1]['body']) =>
      actor.send('control', envelope(body));
    const turnId = 't';
    control({ type: 'begin', turnId, prefills: true });
    control({ type: 'unit.expected', turnId, unitId: 'u', chunk: 0 });
    control({ type: 'tail', turnId, tailId: 1 });
    const flush = { turnId, tailId: 1, vectors: Float32Array.of(1, 2), count: 2, firstIndex: 0 };
    actor.send('vectors', envelope(flush));
    expect(said).toEqual(['pieces text']);
    const unit = { capturedAtMs: 0, vectors: Float32Array.of(3), count: 1 };
    actor.send('units', envelope({ unitId: 'u', unit }));
    const tail = 'tail text image audio-begin audio audio-end text';
    expect(said).toEqual(['pieces text', tail]);
    control({ type: 'tail.withdrawn', turnId });
    control({ type: 'tail', turnId, tailId: 2 });
    actor.send('vectors', envelope({ ...flush, tailId: 2 }));
    control({ type: 'over', turnId });
    expect(said).toEqual(['pieces text', tail, tail]);
  });
});

describe('a stage that fails', () => {
  it('ends its session with an error that can be read, and no other', () => {
    const clock = new VirtualClock();
    const frame = (samples: Float32Array) => {
      if (samples[0] === 9) throw new Error('poison');
      return 0;
    };
    const runtime = createRuntime({
      engine: engineOnClock(zeroLatencyEngine(), clock),
      clock,
      random: createRandom(1),
      voiceActivityDetector: () => ({ frame }),
    });
    const [victim, other] = [runtime.openSession(), runtime.openSession()];
    const events: SessionEvent[] = [];
    victim.events$.subscribe(event => events.push(event));
    pushAudio(victim, new Float32Array(320).fill(9));
    expect(events).toMatchObject([
      { type: 'error', code: 'actor.failed', fatal: true },
      { type: 'ended', reason: 'failed' },
    ]);
    pushAudio(other, new Float32Array(320));
    expect([...runtime.sessions.values()]).toEqual([other]);
  });
});
