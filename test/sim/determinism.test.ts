/** (scenario, seed) decides everything: not the load of the machine, and not what another consumer of chance does. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createRandom, VirtualClock } from '../../actors/core/index.ts';
import { jsonReport } from '../../cli/sim/json-report.ts';
import { runExperiment } from '../../sim/experiments.ts';
import { Path } from '../../sim/networks/path.ts';
import { NETWORK_PROFILES } from '../../sim/networks/profiles.ts';
import { MACHINE_GAP } from '../../sim/people/laws.ts';
import { Person, type PersonLaw } from '../../sim/people/person.ts';
import { Voice } from '../../sim/people/voice.ts';

const content = {
  name: 'small',
  durationS: 30,
  warmUpS: 5,
  load: { sessions: 3 },
  network: '4g-edge',
  engine: {
    law: 'linear',
    languageModel: { stepMs: 8, perPrefillPositionMs: 0.1 },
    ganDecoder: { stepMs: 2 },
  },
};

const report = async () => jsonReport(await runExperiment(content, { seed: 'same', replications: 2 }), null);

describe('a run', () => {
  it('is the same byte for byte while other processes load the machine', async () => {
    const before = await report();
    const spinning = [1, 2, 3].map(() => spawn(process.execPath, ['-e', 'for (;;);']));
    try {
      expect(await report()).toBe(before);
    } finally {
      for (const child of spinning) child.kill('SIGKILL');
    }
  });

  it('that fails prints the command that repeats it, and the command does', async () => {
    const run = (command: string) =>
      promisify(execFile)('/bin/sh', ['-c', command.replace(/^longcat-rt/, 'node cli/longcat-rt.js')]).then(
        () => '',
        (error: { stderr: string }) => error.stderr,
      );
    const first = await run(
      `longcat-rt sim sim/scenarios/speculation.yaml --seed 5 --set engine.accelerator=H20 --set engine.decode=measured --set 'people.talkS={median: 2}'`,
    );
    const again = /^again: (.*)$/m.exec(first)?.[1];
    expect(again).toContain('--seed 5');
    expect(again).toContain('engine.accelerator');
    const second = await run(again!);
    expect(second).toMatch(/scenario\.invalid/);
    expect(second).toBe(first);
  });
});

describe('streams of chance', () => {
  const law: PersonLaw = {
    turn: { talkS: { median: 1.2, sigma: 0.85 }, pauseS: { median: 0.4, sigma: 0.75 }, talkPerPauseS: 3.5 },
    gap: MACHINE_GAP,
    backchannelsPerMinute: 0,
    backchannelS: { median: 0.35, sigma: 0.35 },
    bargeIn: 0,
    bargeInAfterS: 0.6,
    meanReplyS: 4,
    giveUpS: { median: 1.2, sigma: 0.4 },
    noisesPerMinute: 0,
    noiseS: [0.2, 3],
    patienceS: 6,
    judgement: null,
    noticesAfterS: 1.5,
  };

  /** Turns of a person whom an agent answers at the same times, whatever he does beneath. */
  function turnsOf(change: Partial<PersonLaw>) {
    const clock = new VirtualClock();
    const person = new Person(clock, createRandom('person'), new Voice(), { ...law, ...change });
    for (let atMs = 10_000; atMs < 300_000; atMs += 10_000) {
      clock.setTimer(atMs, () => person.agentStarted(atMs, 'reply'));
      clock.setTimer(atMs + 4000, () => person.agentStopped(atMs + 4000));
    }
    clock.runUntilSync(300_000);
    return { turns: person.turns.map(({ beganMs, endedMs }) => [beganMs, endedMs]), person };
  }

  it('of noise and backchannels leave a person’s turns alone', () => {
    const { turns } = turnsOf({});
    const noisy = turnsOf({ noisesPerMinute: 20, backchannelsPerMinute: 20 });
    expect(noisy.person.backchannelsMs.length).toBeGreaterThan(5);
    expect(turns.length).toBeGreaterThan(20);
    expect(noisy.turns).toEqual(turns);
  });

  it('of a network’s spikes leave its losses alone', () => {
    const lossesOf = (spikesPerMinute: number) => {
      const profile = { ...NETWORK_PROFILES['4g-edge'], spikesPerMinute };
      const path = new Path(createRandom('path'), profile, 20, false);
      return Array.from({ length: 5000 }, (_, i) => path.send(i * 20) === null);
    };
    const calm = lossesOf(0);
    expect(calm.filter(Boolean).length).toBeGreaterThan(50);
    expect(lossesOf(30)).toEqual(calm);
  });
});
