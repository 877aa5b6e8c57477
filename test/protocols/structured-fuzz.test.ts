/** A short run of `npm run fuzz`. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { CLIENT_EVENT_TYPES, clientEventSchema } from '../../protocols/realtime/client-events.ts';
import { parseEvent } from '../../protocols/realtime/parse-event.ts';
import { ErrorsSeen } from '../fuzz/errors-seen.ts';
import { eventsOf, FrameSource } from '../fuzz/frames.ts';
import { emptyReport, fuzzInProcess } from '../fuzz/in-process.ts';
import { LIVE } from '../fuzz/protocols.ts';

describe('the fuzzer', () => {
  it('makes events of every type that the schemas accept, and as many that they do not', () => {
    const events = eventsOf(1, 600);
    expect(new Set(events.map(({ type }) => type))).toEqual(CLIENT_EVENT_TYPES);
    const accepted = events.filter(event => clientEventSchema.safeParse(event).success);
    expect(accepted.length).toBeGreaterThan(180);
    const source = new FrameSource(1, createRandom(1), 300);
    const frames = Array.from({ length: 1500 }, () => source.next());
    const good = frames.filter(frame => parseEvent(frame).ok).length;
    expect(good).toBeGreaterThan(250);
    expect(good).toBeLessThan(1250);
  });

  it('is the same for the same seed', () => {
    const frames = () => {
      const source = new FrameSource(7, createRandom(7), 50);
      return Array.from({ length: 200 }, () => source.next());
    };
    expect(frames()).toEqual(frames());
  });

  it('takes a conversation for answering although other errors follow its answer at once', () => {
    const report = emptyReport('in-process');
    const seen = new ErrorsSeen(report);
    const error = (code: string, event_id: string | null) =>
      seen.receive(JSON.stringify({ type: 'error', event_id: 'event_1', error: { code, event_id } }));
    const first = JSON.parse(seen.nextProbe()) as { event_id: string };
    error('invalid_image', null);
    expect(seen.isAnswered).toBe(false);
    error('unknown_event_type', first.event_id);
    error('invalid_image', null);
    expect(seen.isAnswered).toBe(true);
    seen.nextProbe();
    error('unknown_event_type', first.event_id);
    expect(seen.isAnswered).toBe(false);
    expect(report.errors).toEqual({ invalid_image: 2, unknown_event_type: 2 });
  });

  it('finds no conversation that is lost or stuck, and no fault of ours', async () => {
    const { frames, live, stuck, ended, faults } = await fuzzInProcess({
      seed: 3,
      frames: 2000,
      maxMs: Number.POSITIVE_INFINITY,
    });
    expect({ stuck, ended, faults }).toEqual({ stuck: 0, ended: [], faults: [] });
    expect(frames).toBe(2000);
    // The way of live speech is among what is fuzzed.
    expect(live.turns).toBeGreaterThan(0);
    expect(live.replies).toBeGreaterThan(0);
  }, 180_000);

  it('nor at the GPT-Live door, where frames also end their conversations', async () => {
    const options = { seed: 5, frames: 2000, maxMs: Number.POSITIVE_INFINITY, protocol: LIVE };
    const { frames, stuck, ended, faults, errors, live, sessions } = await fuzzInProcess(options);
    expect({ stuck, ended, faults }).toEqual({ stuck: 0, ended: [], faults: [] });
    expect(frames).toBe(2000);
    expect(sessions).toBeGreaterThan(8);
    expect(live.replies).toBeGreaterThan(0);
    // Frames reach each of the checks.
    for (const code of ['unknown_parameter', 'session_already_started', 'unsupported_event'])
      expect(Object.keys(errors)).toContain(code);
  }, 180_000);
});
