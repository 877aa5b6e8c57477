/** Whoever has left neither speaks nor listens, whatever still arrives (docs/spec/latency-data.md §4). */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { EMPTY } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createRandom, VirtualClock } from '../../actors/core/index.ts';
import type { Runtime } from '../../actors/session-api.ts';
import { MACHINE_GAP } from '../../sim/people/laws.ts';
import { Person, type PersonLaw } from '../../sim/people/person.ts';
import { Voice } from '../../sim/people/voice.ts';
import { runScenario } from '../../sim/run.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';
import { SessionLine } from '../../sim/session-line.ts';

const LAW: PersonLaw = {
  turn: { talkS: { median: 2, sigma: 0.85 }, pauseS: { median: 0.4, sigma: 0.75 }, talkPerPauseS: 1 },
  gap: MACHINE_GAP,
  backchannelsPerMinute: 20,
  backchannelS: { median: 0.35, sigma: 0.35 },
  bargeIn: 0.5,
  bargeInAfterS: 0.6,
  meanReplyS: 4,
  giveUpS: { median: 1.2, sigma: 0.4 },
  noisesPerMinute: 20,
  noiseS: [0.2, 3],
  patienceS: 2,
  judgement: null,
  noticesAfterS: 1,
};

const happening = fc.record({ afterMs: fc.integer({ min: 1, max: 4000 }), starts: fc.boolean() });

/** A person to whom an agent does this, and who hangs up after so many of them. */
function conversation(
  seed: number,
  happenings: readonly { afterMs: number; starts: boolean }[],
  leaves: number,
) {
  const clock = new VirtualClock();
  const voice = new Voice();
  const random = createRandom(seed);
  const misheard = random.split('misheard');
  const person = new Person(clock, random, voice, LAW, () => misheard.next() < 0.5);
  let leftMs = Number.POSITIVE_INFINITY;
  const loudMs: number[] = [];
  happenings.forEach(({ afterMs, starts }, i) => {
    if (i === leaves) {
      leftMs = clock.nowMs();
      person.hangUp();
    }
    if (starts) person.agentStarted(clock.nowMs(), `reply ${i}`);
    else person.agentStopped(clock.nowMs());
    for (let left = afterMs; left > 0; left -= 20) {
      clock.runForSync(20);
      if (voice.packet(clock.nowMs(), 20).some(sample => sample > 0)) loudMs.push(clock.nowMs());
    }
  });
  return { person, leftMs, loudMs };
}

describe('a person who left', () => {
  it('never speaks, whatever the agent does', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(happening, { minLength: 4, maxLength: 30 }),
        fc.nat({ max: 20 }),
        (seed, happenings, leaves) => {
          const { leftMs, loudMs, person } = conversation(seed, happenings, leaves);
          const late = (atMs: number) => atMs > leftMs + 20;
          expect(loudMs.filter(late)).toEqual([]);
          expect(person.turns.filter(({ endedMs }) => endedMs > leftMs + 1e-6)).toEqual([]);
          expect(person.turns.filter(({ answeredMs }) => (answeredMs ?? 0) > leftMs)).toEqual([]);
          expect(person.backchannelsMs.filter(late)).toEqual([]);
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it('is heard no more: short calls cut off as many pauses as one long call does', async () => {
    const content = {
      name: 'short calls',
      durationS: 300,
      warmUpS: 20,
      network: 'lab',
      transport: { kind: 'websocket', packetMs: 20 },
      people: { talkS: { median: 4, sigma: 0.6 }, talkPerPauseS: 1, bargeIn: 0, noisesPerMinute: 0 },
      turnTaking: { endpointSilenceMs: 500, speculateSilenceMs: 500 },
      engine: { law: 'linear' },
    };
    const shareOf = async (load: object) => {
      const { counts } = await runScenario(parseScenario({ ...content, load }), 1);
      expect(counts.pauses).toBeGreaterThan(150);
      expect(counts.unanswered).toBeLessThan(0.02 * counts.userTurns);
      return counts.falseEndpoints / counts.pauses;
    };
    const [long, short] = [
      await shareOf({ sessions: 6 }),
      await shareOf({ callsPerMinute: 12, callMinutes: 0.5, lines: 50 }),
    ];
    // 47 % of pauses of at least 200 ms are longer than 500 ms (docs/spec/latency-data.md §4.2).
    for (const share of [long, short]) expect(Math.abs(share - 0.47)).toBeLessThan(0.12);
  });
});

describe('a line that was hung up', () => {
  it('lets go of its session and of all that was said in it, though the call is kept for its figures', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const lines: SessionLine[] = [];
    const sent: string[] = [];
    const open = () => {
      const session = {
        events$: EMPTY,
        send: ({ type }: { type: string }) => sent.push(type),
        close: () => sent.push('close'),
      };
      const runtime = { openSession: () => session } as unknown as Runtime;
      lines.push(new SessionLine(runtime, {}, 'call 0', 1000));
      return new WeakRef(session);
    };
    const session = open();
    const [line] = lines;
    line.picture();
    line.hangUp();
    line.hangUp();
    line.audio(new Float32Array(20));
    expect(sent).toEqual(['picture', 'close']);
    await new Promise(setImmediate); // What a WeakRef was made of lives to the end of its turn.
    collect();
    expect(session.deref()).toBeUndefined();
  });
});
