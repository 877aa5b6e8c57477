/** What counts as heard, against what a simulated carrier really played (docs/spec/protocols.md §7). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../actors/core/index.ts';
import { HeardLedger, PlayOut } from '../../actors/play-out/index.ts';
import { PlayQueue } from '../../cli/fake-carrier/play-queue.ts';
import { bytesOfMs, type MediaFormat } from '../../protocols/media/index.ts';
import { LineSpeaker, type PhoneLine } from '../../protocols/telephone/index.ts';

const FORMAT: MediaFormat = { codec: 'mu-law', rateHz: 8000 };
const FRAME_MS = 20;
const MARK_MS = 2 * FRAME_MS;
const MARK_SLACK_MS = 20;

interface Network {
  readonly downMs: number;
  readonly upMs: number;
}

/** Play-out with its ledger, a line's speaker, and a carrier that plays by the clock at the end of a network. */
function stage(
  { downMs, upMs }: Network,
  has: { marks: boolean; clear: boolean; tellsCleared?: boolean } = { marks: true, clear: true },
) {
  const clock = new VirtualClock();
  const queue = new PlayQueue(FORMAT);
  let isStalled = false;
  const tell = (names: readonly string[]) => {
    for (const name of names) clock.setTimer(upMs, () => speaker.marked(name));
  };
  const later = (action: () => void) => void clock.setTimer(downMs, action);
  const line: PhoneLine = {
    format: FORMAT,
    play: frame => later(() => queue.play(Buffer.from(frame))),
    hangUp() {},
    ...(has.marks && { mark: name => later(() => tell(queue.mark(name))) }),
    ...(has.clear && {
      clear: () => later(() => tell(has.tellsCleared === false ? queue.clear().slice(0, 0) : queue.clear())),
    }),
  };
  const speaker = new LineSpeaker(line, { frameMs: FRAME_MS, leadMs: 200, latencyMs: 100 }, clock);
  const ledger = new HeardLedger(clock, 24_000, speaker.latencyMs);
  speaker.played$.subscribe(({ itemId, samples, atMs }) => ledger.report(itemId, samples, atMs));
  const playOut = new PlayOut({ clock, ledger, speaker, sampleRate: 24_000, reportGraceMs: 2000, emit() {} });
  playOut.openGate();
  const tick = (): void => {
    if (!isStalled) tell(queue.tick(bytesOfMs(FORMAT, 1)));
    clock.setTimer(1, tick);
  };
  tick();
  const playedMs = () => queue.played / bytesOfMs(FORMAT, 1);
  const stall = (stalled: boolean) => {
    isStalled = stalled;
  };
  return { clock, ledger, playedMs, playOut, queue, speaker, stall };
}

const tone = (ms: number) => new Float32Array(ms * 24).fill(0.3);

describe('a line that tells its marks', () => {
  it('is known to have played what it has, whatever the network, pauses and stalls', () => {
    const step = fc.record({
      does: fc.constantFrom('pass', 'pass', 'pass', 'add', 'add', 'hold', 'go', 'stall', 'run'),
      by: fc.integer({ min: 1, max: 300 }),
    });
    const network = fc.record({
      downMs: fc.integer({ min: 1, max: 250 }),
      upMs: fc.integer({ min: 1, max: 250 }),
    });
    let worstOverMs = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), network, (steps, wire) => {
        const { clock, ledger, playedMs, playOut, stall } = stage(wire);
        for (const { does, by } of steps) {
          if (does === 'pass') {
            for (let ms = 0; ms < by; ms += 5) {
              clock.runForSync(5);
              const counted = ledger.heardSamples('a') / 24;
              worstOverMs = Math.max(worstOverMs, counted - playedMs());
              // Never more ahead than a late mark may be taken for a slow line; after a stall it is made good at once.
              expect(counted).toBeLessThanOrEqual(playedMs() + MARK_MS + MARK_SLACK_MS + 2 * FRAME_MS + 2);
            }
          } else if (does === 'add') playOut.add('a', tone(by));
          else if (does === 'hold' || does === 'go') playOut.hold(does === 'hold');
          else stall(does === 'stall');
        }
      }),
      { numRuns: 100 },
    );
    expect(worstOverMs).toBeGreaterThan(0);
  });

  it('on a steady network nothing counts that was not played, and all but the way and a mark', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 3000 }),
        (downMs, upMs, cutMs) => {
          const { clock, ledger, playedMs, playOut } = stage({ downMs, upMs });
          playOut.add('a', tone(2500));
          playOut.finish('a');
          clock.runForSync(cutMs);
          const heard = ledger.freeze('a') / 24;
          const played = playedMs();
          playOut.clear();
          // Until the first mark is back the line's delay is not known, but taken for 100 ms.
          const unknownMs = played < MARK_MS + upMs ? Math.max(0, downMs - 100) : 0;
          expect(heard).toBeLessThanOrEqual(played + unknownMs + 1);
          expect(heard).toBeGreaterThanOrEqual(
            Math.min(played, 2500) - upMs - MARK_MS - Math.max(0, 100 - downMs) - 1,
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  // Twilio gives them back, Asterisk forgets them (docs/spec/protocols.md §2.3, §5.4).
  it.each([true, false])(
    'closes the marks that a clear throws away, told (%s) or not: they count for nothing',
    tellsCleared => {
      const has = { marks: true, clear: true, tellsCleared };
      const { clock, ledger, playOut, queue, speaker } = stage({ downMs: 30, upMs: 30 }, has);
      playOut.add('a', tone(1000));
      clock.runForSync(300);
      const heard = ledger.freeze('a');
      const told: string[] = [];
      playOut.clear();
      expect(speaker.isIdle).toBe(true);
      speaker.played$.subscribe(({ itemId }) => told.push(itemId));
      clock.runForSync(500);
      expect(queue.cleared).toBeGreaterThan(0);
      expect(told).toEqual([]);
      expect(ledger.heardSamples('a')).toBe(heard);
      playOut.openGate();
      playOut.add('b', tone(200));
      playOut.finish('b');
      clock.runForSync(600);
      expect(ledger.heardSamples('b')).toBe(200 * 24);
      expect(told).not.toContain('a');
    },
  );

  it('clears nothing where there is nothing', () => {
    const cleared: string[] = [];
    const line: PhoneLine = {
      format: FORMAT,
      play() {},
      mark() {},
      clear: () => cleared.push('clear'),
      hangUp() {},
    };
    const speaker = new LineSpeaker(line, { frameMs: 20, leadMs: 200, latencyMs: 0 }, new VirtualClock());
    speaker.flush();
    expect(cleared).toEqual([]);
    speaker.write('a', tone(40));
    speaker.flush();
    speaker.flush();
    expect(cleared).toEqual(['clear']);
  });

  it('fills up the last frame, and sends no other size', () => {
    const sizes: number[] = [];
    const line: PhoneLine = { format: FORMAT, play: frame => sizes.push(frame.length), hangUp() {} };
    const speaker = new LineSpeaker(line, { frameMs: 20, leadMs: 200, latencyMs: 0 }, new VirtualClock());
    speaker.write('a', tone(110));
    speaker.end('a');
    expect(sizes).toEqual(Array(6).fill(160));
  });

  it('owes no more marks than its bound, and a name from elsewhere says nothing', () => {
    const { clock, ledger, playOut, speaker } = stage({ downMs: 1, upMs: 1_000_000 });
    for (let second = 0; second < 60; second++) {
      playOut.add('a', tone(1000));
      clock.runForSync(1000);
    }
    for (const name of ['', 'm', 'm0', 'm999999', '__proto__']) speaker.marked(name);
    expect(ledger.heardSamples('a') / 24).toBeLessThanOrEqual(MARK_MS + MARK_SLACK_MS + FRAME_MS);
  });
});

describe('a line that tells nothing', () => {
  it('counts by the clock, behind its delay', () => {
    const { clock, ledger, playOut } = stage({ downMs: 50, upMs: 0 }, { marks: false, clear: false });
    playOut.add('a', tone(1000));
    clock.runForSync(400);
    expect(ledger.heardSamples('a') / 24).toBe(300);
  });
});
