import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, integer } from '../../actors/core/index.ts';
import type { Session } from '../../actors/index.ts';
import { decodeRecording, recordedEvents } from '../../actors/recording/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { RecordingRig, type RecordingRigOptions } from '../support/recording-rig.ts';
import { packet } from '../support/session-rig.ts';
import {
  addItem,
  cancelResponse,
  commitInput,
  createResponse,
  pushAudio,
  pushVideo,
  reportHeard,
  update,
} from '../support/told.ts';

const REPLIES = [[{ text: 'One two three.', frames: 12 }], [{ text: 'Yes. It is so.', frames: 30 }]];

/** People who talk in and out of turn, and clients that meddle, all by a seed. */
async function converse(rig: RecordingRig, sessions: number, seed: number, ms = 6000): Promise<void> {
  const random = createRandom(seed);
  const open: Session[] = [];
  for (let i = 0; i < sessions; i++) {
    const session = rig.runtime.openSession({ instructions: i % 2 ? 'Be kind.' : '' }, { id: `caller ${i}` });
    session.events$.subscribe(event => {
      // A client that reacts within the delivery of an event.
      if (event.type === 'response.audio') reportHeard(session, event.itemId, event.samples.length);
      if (event.type === 'response.created' && random.next() < 0.2) cancelResponse(session, event.responseId);
    });
    open.push(session);
  }
  const speaks = open.map(() => false);
  for (let atMs = 0; atMs < ms; atMs += 20) {
    await rig.clock.virtual.runFor(20);
    open.forEach((session, i) => {
      if (random.next() < 0.03) speaks[i] = !speaks[i];
      pushAudio(session, packet(speaks[i], 20));
      if (random.next() < 0.01) meddle(session, integer(random, 5));
    });
  }
  for (const session of open) session.close('hung up');
  await rig.clock.virtual.runFor(200);
}

function meddle(session: Session, what: number): void {
  try {
    if (what === 0) createResponse(session);
    else if (what === 1) addItem(session, { role: 'user', content: [{ type: 'text', text: 'And?' }] });
    else if (what === 2) update(session, { instructions: 'Be brief.' });
    else if (what === 3) pushVideo(session, { width: 2, height: 2, data: new Uint8Array(12).fill(7) });
    else commitInput(session);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
  }
}

async function recorded(options: RecordingRigOptions = {}, sessions = 2, seed = 5): Promise<RecordingRig> {
  const rig = new RecordingRig({ replies: REPLIES, ...options });
  await converse(rig, sessions, seed);
  return rig;
}

describe('a replay', () => {
  it('comes out to the bit, however late the machine was and whatever people did', async () => {
    const cases = fc.record({
      machineSeed: fc.nat(),
      seed: fc.nat(),
      sessions: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ machineSeed, seed, sessions }) => {
        const rig = await recorded({ machineSeed }, sessions, seed);
        const { divergence, events, endReason } = await rig.replay();
        expect(divergence).toBeNull();
        expect(events).toEqual([...recordedEvents(rig.recording())]);
        expect(endReason).toBe('idle');
      }),
      { numRuns: 8 },
    );
  });

  it('hears what was said, so the test above compares something', async () => {
    const rig = await recorded();
    const types = new Set([...recordedEvents(rig.recording())].map(({ json }) => JSON.parse(json).type));
    for (const type of ['speech.started', 'response.audio', 'response.done', 'turn.trace', 'item.added'])
      expect(types).toContain(type);
  });

  it('delivers the failures of the engine as they came', async () => {
    let replaying = false;
    const fails = (component: string, step: number) =>
      !replaying && component === 'languageModel' && step === 30;
    const rig = await recorded({ fails });
    replaying = true;
    const { divergence } = await rig.replay();
    expect(divergence).toBeNull();
  });

  it('names what came out differently, and goes on freely', async () => {
    const rig = await recorded();
    const { divergence, events } = await rig.replay({
      changeSettings: settings =>
        'instructions' in settings
          ? { ...settings, truncateAt: 'sample', instructions: 'Say more.' }
          : settings,
    });
    expect(divergence).toMatchObject({ what: 'engine step' });
    const before = [...recordedEvents(rig.recording())].filter(({ atMs }) => atMs < divergence!.atMs);
    expect(events.slice(0, before.length)).toEqual(before);
    expect(events.some(({ atMs }) => atMs > divergence!.atMs)).toBe(true);
  });

  it('names the engine when it answers something else', async () => {
    const rig = new RecordingRig({ replies: REPLIES });
    await converse(rig, 1, 3);
    const other = new RecordingRig({ replies: [[{ text: 'No.', frames: 9 }]] });
    other.files.push(...rig.files);
    const { divergence } = await other.replay();
    expect(divergence).toMatchObject({ what: 'engine answer' });
    expect(divergence!.before).toContain('languageModel');
  });
});

describe('a recording', () => {
  it('begins with the first session and ends with the last, file after file', async () => {
    const rig = new RecordingRig({ replies: REPLIES });
    await converse(rig, 1, 1, 3000);
    await converse(rig, 2, 2, 3000);
    expect(rig.files).toHaveLength(2);
    for (const file of [0, 1]) expect((await rig.replay({}, file)).divergence).toBeNull();
  });

  it('cut off anywhere is whole up to the last whole entry', async () => {
    const rig = await recorded({}, 1);
    const bytes = rig.bytes();
    const count = [...rig.recording().entries()].length;
    const boundary = bytes.length - rig.files[0].at(-1)!.length;
    for (const cut of [boundary, boundary + 1, boundary + 9, bytes.length - 1]) {
      const { tornBytes, entries } = decodeRecording(bytes.subarray(0, cut));
      expect(tornBytes).toBe(cut - boundary);
      expect([...entries()]).toHaveLength(count - 1);
    }
    const half = decodeRecording(bytes.subarray(0, bytes.length >> 1));
    expect([...half.entries()].length).toBeLessThan(count);
  });

  it('that is damaged is refused with a code, never with anything else', async () => {
    const rig = await recorded({}, 1);
    const bytes = rig.bytes().subarray(0, 40_000);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] ^= flip;
        try {
          for (const _ of decodeRecording(damaged).entries());
        } catch (error) {
          expect(error).toMatchObject({ code: 'recording.invalid' });
        }
      }),
      { numRuns: 200 },
    );
    for (const nonsense of [new Uint8Array(0), new Uint8Array(100), new TextEncoder().encode('RIFF....WAVE')])
      expect(() => decodeRecording(nonsense)).toThrow(/recording\.invalid|does not begin|damaged|longer/);
  });

  it('that takes no more leaves the conversation alone', async () => {
    const whole = await recorded({});
    const cut = await recorded({ mostFrames: 50 });
    expect(cut.files[0]).toHaveLength(50);
    const { divergence, endReason, events } = await cut.replay();
    expect([divergence, endReason]).toEqual([null, null]);
    const all = [...recordedEvents(whole.recording())];
    expect(events).toEqual(all.slice(0, events.length));
  });

  it('is the same to the byte when all that comes from outside is', async () => {
    const rig = await recorded({});
    const again = await recorded({});
    expect(Buffer.compare(rig.bytes(), again.bytes())).toBe(0);
  });
});
