/**
 * Sixteen people talk, and the component that serves them all is struck: what they hear must be what they would have
 * heard.
 */
import { describe, expect, it } from 'vitest';
import { notServing } from '../../actors/health.ts';
import { ENGINE_COMPONENTS, type EngineComponent } from '../../kernels/engine/index.ts';
import type { Fault } from '../support/faulty-engine.ts';
import { type Caller, packet, SessionRig } from '../support/session-rig.ts';
import { pushAudio, pushVideo } from '../support/told.ts';

const SESSIONS = 16;
const FAULTS: readonly Fault[] = ['kill', 'throw', 'hang', 'slow'];
/** While they speak, while they wait for the answer, while they hear it. */
const STRIKES_AT_MS = [560, 1480, 2220];

interface Heard {
  readonly text: string;
  readonly audioMs: number;
  readonly errors: readonly string[];
  readonly ended: boolean;
  readonly statuses: readonly string[];
}

/** Everybody says a second and hears the answer; pictures come twice a second. */
async function conversation(
  rig: SessionRig,
  strike: (atMs: number) => void,
  lengthMs = 5000,
): Promise<Heard[]> {
  await rig.warmUp();
  const callers = Array.from({ length: SESSIONS }, () =>
    rig.open({ delivery: { mode: 'paced', leadMs: 500 } }),
  );
  for (let atMs = 0; atMs < lengthMs; atMs += 20) {
    strike(atMs);
    callers.forEach((caller, n) => {
      const own = atMs - n * 20;
      const speaks = own >= 0 && own < 1000;
      if (caller.last('ended')) return;
      pushAudio(caller.session, packet(speaks, 20));
      if (atMs % 500 === 0) pushVideo(caller.session, PICTURE);
    });
    await rig.clock.runFor(20);
  }
  return callers.map(heardBy);
}

const PICTURE = { width: 28, height: 28, data: new Uint8Array(3 * 28 * 28) };

function heardBy(caller: Caller): Heard {
  return {
    text: caller
      .all('response.text')
      .map(({ delta }) => delta)
      .join(''),
    audioMs: caller.audioMs,
    errors: caller.all('error').map(({ code }) => code),
    ended: caller.last('ended') !== undefined,
    statuses: caller.all('response.done').map(({ status }) => status.kind),
  };
}

const COSTS = {
  languageModel: () => 10,
  audioEncoder: () => 5,
  visionEncoder: () => 20,
  ganDecoder: () => 5,
};
const options = { costs: COSTS, replies: [[{ text: 'Yes, I can hear you well.', frames: 20 }]] };

describe('under sixteen conversations', () => {
  let undisturbed: Heard[] | undefined;
  const expected = async () => {
    undisturbed ??= await conversation(new SessionRig({ ...options, faults: {} }), () => {});
    return undisturbed;
  };
  const spoken = ENGINE_COMPONENTS.filter(name => name !== 'speechTokenizer'); // No conversation encodes speech to codes.
  const cases = spoken.flatMap(name => FAULTS.map(fault => [name, fault] as const));

  it.each(cases)(
    '%s, %s: everybody hears all of the same answers, soon, and every fault is told',
    async (name, fault) => {
      const rig = new SessionRig({ ...options, faults: {} });
      const kinds: string[] = [];
      rig.runtime.health.faults$.subscribe(({ component, kind }) => kinds.push(`${component} ${kind}`));
      const heard = await conversation(rig, atMs => {
        if (STRIKES_AT_MS.includes(atMs) && !rig.faulty!.isStruck(name)) rig.faulty!.strike(name, fault);
      });
      expect(heard).toEqual(await expected());
      const { recoveredAfterMs } = rig.faulty!;
      if (fault !== 'kill') expect(recoveredAfterMs.length).toBeGreaterThan(0); // Where it died idle nobody waited.
      expect(Math.max(0, ...recoveredAfterMs)).toBeLessThanOrEqual(500);
      const kind = { kill: 'crash', throw: 'error', hang: 'overdue', slow: 'slow' }[fault];
      expect(kinds.length).toBeGreaterThanOrEqual(1);
      expect(new Set(kinds)).toEqual(new Set([`${kebab(name)} ${kind}`]));
      const told = rig.lines.filter(line => line.startsWith('component fault'));
      expect(told).toHaveLength(kinds.length);
      expect(notServing(rig.runtime.health)).toEqual([]);
    },
  );

  it('another standby is loaded when what was owed has been made up for, not beside it', async () => {
    const rig = new SessionRig({ ...options, faults: {} });
    const recoveredAtMs: number[] = [];
    rig.runtime.health.recoveries$.subscribe(() => recoveredAtMs.push(rig.clock.nowMs()));
    await conversation(rig, atMs => {
      if (atMs === 1000) rig.faulty!.strike('ganDecoder', 'kill');
    });
    expect(recoveredAtMs).toHaveLength(1);
    // The first was there since somebody called.
    expect(rig.faulty!.standbysAtMs.slice(1)).toEqual(recoveredAtMs.map(atMs => atMs + 3000));
  });

  it('a standby is kept while somebody calls and five minutes more, and again when somebody calls again', async () => {
    const rig = new SessionRig({ ...options, faults: {} });
    const standbys = rig.faulty!;
    await rig.warmUp();
    await rig.clock.runFor(60_000);
    expect(standbys.standbysAtMs).toEqual([]);
    await conversation(rig, () => {});
    expect(standbys.standbysAtMs).toHaveLength(1);
    expect(standbys.standbysReleasedAtMs).toEqual([]);
    const overAtMs = rig.clock.nowMs();
    await rig.clock.runFor(301_000);
    expect(standbys.standbysReleasedAtMs).toHaveLength(1);
    expect(standbys.standbysReleasedAtMs[0]).toBeLessThanOrEqual(overAtMs + 300_000);
    expect(standbys.standbysReleasedAtMs[0]).toBeGreaterThan(overAtMs + 280_000);
    await conversation(rig, () => {});
    expect(standbys.standbysAtMs).toHaveLength(2);
  });

  it('a component that stays away ends the sessions that need it with a readable error, and later ones are served', async () => {
    const rig = new SessionRig({ ...options, faults: { loadMs: 6000 } });
    const heard = await conversation(
      rig,
      atMs => {
        if (atMs === 1000) rig.faulty!.strike('languageModel', 'kill');
      },
      6500,
    );
    expect(new Set(heard.flatMap(({ errors }) => errors))).toEqual(new Set(['engine.component-down']));
    expect(heard.every(({ ended }) => ended)).toBe(true);
    await rig.clock.runFor(4000);
    expect(notServing(rig.runtime.health)).toEqual([]);
    const later = rig.open();
    await later.say(1000);
    await later.silence(3000);
    expect(later.all('response.done').map(({ status }) => status.kind)).toEqual(['completed']);
  });
});

const kebab = (name: EngineComponent) => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
