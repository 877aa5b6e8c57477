/** Silence given in bunches changes nothing that anybody can see. */
import { expect, it } from 'vitest';
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
  ['in packets of a second', { transport: { kind: 'carrier', packetMs: 1000 } }],
])('%s: the same run', async (_name, more) => {
  const scenario = parseScenario({ ...COMMON, ...more });
  const kept = await runScenario(scenario, 3);
  expect(kept.turns.length).toBeGreaterThan(3);
  expect(kept).toEqual(await runScenario(scenario, 3, { givesAllSilence: true }));
});
