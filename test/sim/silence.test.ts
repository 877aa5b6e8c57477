/** Silence given in bunches changes nothing that anybody can see. */
import { expect, it } from 'vitest';
import { createRandom, VirtualClock } from '../../actors/core/index.ts';
import { Metronome } from '../../sim/networks/metronome.ts';
import { NETWORK_PROFILES } from '../../sim/networks/profiles.ts';
import { Uplink } from '../../sim/networks/uplink.ts';
import { Voice } from '../../sim/people/voice.ts';
import { runScenario } from '../../sim/run.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';

const COMMON = {
  name: 'silence',
  durationS: 30,
  warmUpS: 0,
  load: { sessions: 3 },
  people: { bargeIn: 0.5, backchannelsPerMinute: 12, noisesPerMinute: 3 },
  engine: { law: 'linear', languageModel: { stepMs: 8 } },
};

it.each<[string, object]>([
  ['paced over a line that loses packets', { network: 'wifi-congested', transport: { kind: 'rtp' } }],
  [
    'with a policy that follows the words',
    { transport: { kind: 'websocket', packetMs: 40 }, turnTaking: { preset: 'patient' } },
  ],
  [
    'over a line that sends again what is lost',
    {
      durationS: 100,
      load: { sessions: 4 },
      transport: { kind: 'websocket' },
      network: { baseMs: 15, jitterMs: 8, loss: 0.1 },
      people: { noisesPerMinute: 4, backchannelsPerMinute: 6, bargeIn: 0.4 },
    },
  ],
  ['in packets of a second', { transport: { kind: 'carrier', packetMs: 1000 } }],
])('%s: the same run', async (_name, more) => {
  const scenario = parseScenario({ ...COMMON, ...more });
  const kept = await runScenario(scenario, 3);
  expect(kept.turns.length).toBeGreaterThan(3);
  expect(kept).toEqual(await runScenario(scenario, 3, { givesAllSilence: true }));
});

it.each([true, false])(
  'nobody speaks (reliable: %s): packets travel when somebody asks, as if each had at its time',
  isReliable => {
    const line = (calmMs: number) => {
      const clock = new VirtualClock();
      const pushedMs: number[] = [];
      const voice = new Voice();
      const uplink = new Uplink({
        clock,
        random: createRandom('line'),
        profile: NETWORK_PROFILES['wifi-congested'],
        metronome: new Metronome(clock, 20, 5),
        isReliable,
        repairs: false,
        voice,
        calmMs,
        push: samples => pushedMs.push(samples.length),
        onMissing: () => {},
      });
      clock.runForSync(10_000);
      const pushes = pushedMs.length;
      const seen = [uplink.counts, uplink.lagMs, uplink.heardUntilMs];
      clock.runForSync(7_000);
      voice.sound(clock.nowMs(), clock.nowMs() + 500);
      clock.runForSync(1_000);
      seen.push(uplink.counts, uplink.lagMs, uplink.heardUntilMs);
      uplink.end();
      clock.runForSync(1_000);
      return { pushes, seen: [...seen, uplink.counts], heardMs: pushedMs.reduce((sum, ms) => sum + ms, 0) };
    };
    const each = line(Number.POSITIVE_INFINITY);
    const rested = line(1_000);
    expect(rested.pushes).toBeLessThan(each.pushes / 5);
    expect(rested.seen).toEqual(each.seen);
    expect(each.seen.at(-1)).toMatchObject({ sent: 899 });
    expect(rested.heardMs).toBeGreaterThan(17_500);
  },
);
