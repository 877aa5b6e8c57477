/** The ear of a session hears the same audio, whatever lengths it comes in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spawn } from '../../actors/core/index.ts';
import { type Edge, perceiveActor } from '../../actors/perceive/index.ts';
import type { TurnDetection } from '../../actors/session-api.ts';
import { actorRig } from './core/actor-rig.ts';

/** One sample a millisecond. */
const FRAME = 20;
const turnDetection: TurnDetection = {
  mode: 'vad',
  threshold: 0.5,
  prefixPaddingMs: 100,
  endpointSilenceMs: 300,
  speculateSilenceMs: 120,
  createResponse: true,
  interruptResponse: true,
};

/** Sample `i` says where it is, and its sign whether it is speech. */
const audioOf = (speech: readonly boolean[]) =>
  Float32Array.from({ length: speech.length * FRAME }, (_, i) =>
    speech[Math.floor(i / FRAME)] ? i + 1 : -(i + 1),
  );

function ear() {
  const rig = actorRig();
  const actor = spawn(
    perceiveActor({
      detector: { frame: samples => (samples[0] > 0 ? 1 : 0) },
      rejectsEcho: false,
      sampleRate: 1000,
      outputSampleRate: 1000,
      maxUtteranceMs: 4000,
      turnDetection,
    }),
    rig.system,
  );
  const edges: Edge[] = [];
  /** Samples of the utterances, and after how many of them each edge came. */
  const heard: number[] = [];
  const order: string[] = [];
  actor.output$.subscribe(({ body }) => {
    if (body.type === 'utterance') heard.push(...body.samples);
    else if ('atMs' in body) {
      edges.push(body);
      order.push(`${body.type} at ${body.atMs} after ${heard.length}`);
      react(body);
    }
  });
  let speaks = false;
  const react = ({ type }: Edge) => {
    // As a session does: whoever speaks takes the floor, and the end of a turn gives it to the agent, who needs more
    // evidence.
    if (type === 'silence.endpoint' || type === 'speech.started') {
      speaks = type === 'silence.endpoint';
      actor.send('control', rig.envelope({ type: 'agent.speaks', speaks }));
    }
    if (type === 'silence.endpoint') actor.send('control', rig.envelope({ type: 'utterance.over' }));
    // The model is sure that the turn is over: sooner than the settings say.
    if (type === 'silence.speculate')
      actor.send('control', rig.envelope({ type: 'endpoint', silenceMs: 180 }));
  };
  const push = (samples: Float32Array) => actor.send('audio', rig.envelope({ samples }));
  return { ...rig, edges, heard, order, push };
}

describe('audio in packets', () => {
  it('of any whole number of frames leads to the same edges and utterances as frame by frame', () => {
    const stretch = fc.record({ speech: fc.boolean(), frames: fc.integer({ min: 1, max: 40 }) });
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    let turns = 0;
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 3, maxLength: 20 }), lengths, (stretches, packets) => {
        const audio = audioOf(stretches.flatMap(({ speech, frames }) => new Array(frames).fill(speech)));
        const single = ear();
        for (let at = 0; at < audio.length; at += FRAME) single.push(audio.slice(at, at + FRAME));
        const many = ear();
        for (let at = 0, i = 0; at < audio.length; i++) {
          const end = at + packets[i % packets.length] * FRAME;
          many.push(audio.slice(at, end));
          at = end;
        }
        turns += single.edges.filter(({ type }) => type === 'silence.endpoint').length;
        expect(many.order).toEqual(single.order);
        expect(many.heard).toEqual(single.heard);
      }),
      { numRuns: 200 },
    );
    expect(turns).toBeGreaterThan(100);
  });

  it('serves what a frame led to before the next frame is heard: a sure model ends the turn within the packet', () => {
    const { edges, push } = ear();
    push(audioOf([...new Array(20).fill(true), ...new Array(30).fill(false)]));
    // 400 ms of speech, and 180 ms of silence instead of 300.
    expect(edges.find(({ type }) => type === 'silence.endpoint')?.atMs).toBe(580);
  });

  it.each([
    { packetMs: 20, stallsAfterMs: 1000 },
    { packetMs: 500, stallsAfterMs: 1000 },
    { packetMs: 800, stallsAfterMs: 1300 },
    { packetMs: 1000, stallsAfterMs: 1500 },
    { packetMs: 5000, stallsAfterMs: 1500 },
  ])('of $packetMs ms has stopped coming after $stallsAfterMs ms', ({ packetMs, stallsAfterMs }) => {
    const { clock, edges, push } = ear();
    const packet = audioOf(new Array(packetMs / FRAME).fill(true));
    const ends = () => edges.filter(({ type }) => type === 'silence.endpoint').length;
    // Utterances end at their limit; none of these is at one.
    const packets = Math.max(1, Math.floor(3000 / packetMs));
    for (let i = 0; i < packets; i++) {
      if (i > 0) clock.runForSync(packetMs);
      push(packet);
    }
    const before = ends();
    clock.runForSync(stallsAfterMs - 1);
    expect(ends()).toBe(before);
    clock.runForSync(2);
    expect(ends()).toBe(before + 1);
  });
});
