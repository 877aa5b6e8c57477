/** What a scenario file may say; every setting has a unit, a default and a meaning. */
import { z } from 'zod';
import { DEFAULT_TURN_DETECTION, type PresetName, TURN_PRESETS } from '../../actors/turn-taking/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { NETWORK_PROFILES, type NetworkName } from '../networks/profiles.ts';
import { MACHINE_GAP } from '../people/laws.ts';
import { daySchema } from './day-schema.ts';
import { engineSchema } from './engine-schema.ts';
import { refusal } from './refusal.ts';
import { toolsSchema } from './tools-schema.ts';

const positive = () => z.number().positive();
const share = () => z.number().min(0).max(0.99);
const count = (max: number) => z.number().int().min(1).max(max);
const logNormal = (median: number, sigma: number) =>
  z
    .strictObject({ median: positive().default(median), sigma: z.number().min(0).max(3).default(sigma) })
    .prefault({});

const vad = DEFAULT_TURN_DETECTION as Extract<typeof DEFAULT_TURN_DETECTION, { mode: 'vad' }>;

const load = z.union([
  z.strictObject({
    sessions: count(10_000).describe('Sessions that last the whole run.'),
    beginWithinS: z
      .number()
      .min(0)
      .max(3600)
      .default(5)
      .describe('They begin within this time; 0 = all at once.'),
  }),
  z.strictObject({
    callsPerMinute: positive().describe('Instead of `sessions`: Poisson arrivals.'),
    callMinutes: positive().describe('Mean of an exponential duration.'),
    lines: count(10_000).describe('Sessions at once; a call beyond is refused.'),
    curve: z
      .array(z.strictObject({ atS: z.number().min(0), factor: z.number().min(0).max(100) }))
      .max(1000)
      .default([])
      .describe('How many times `callsPerMinute` arrive from then on: the load of a day.'),
  }),
  z.strictObject({
    calls: z
      .array(z.strictObject({ atS: z.number().min(0).max(86_400), forS: positive().max(86_400) }))
      .min(1)
      .max(10_000)
      .describe('Instead: these calls, for example of your own log.'),
  }),
]);

const logOdds = () =>
  z.strictObject({ mean: z.number().min(-12).max(12), deviation: z.number().min(0).max(12) });

const turnTaking = z
  .strictObject({
    endpointSilenceMs: positive().default(vad.endpointSilenceMs).describe('t4 − t2.'),
    speculateSilenceMs: positive()
      .default(vad.speculateSilenceMs)
      .describe('t3 − t2; at least endpointSilenceMs = no speculation.'),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(vad.threshold)
      .describe('Speech probability of a speech frame.'),
    interruptResponse: z.boolean().default(true).describe('Whether the user can barge in.'),
    preset: z
      .enum(['none', ...(Object.keys(TURN_PRESETS) as PresetName[])])
      .default('none')
      .describe(
        'The product’s own policy, whose values stand above those three; none: silence alone, or `meaning`.',
      ),
    meaning: z
      .strictObject({
        floorMs: positive(),
        ceilingMs: positive(),
        doneBelow: z.number().min(0).max(1),
        goesOnAbove: z.number().min(0).max(1),
        judgeAgainMs: z.number().min(0).default(160),
      })
      .optional()
      .describe('A policy of your own: the endpoint follows P(the user goes on).'),
    judge: z
      .strictObject({ done: logOdds(), goesOn: logOdds() })
      .default({ done: { mean: -9.6, deviation: 2.4 }, goesOn: { mean: 4.6, deviation: 3.7 } })
      .describe(
        'Log-odds of P(the user goes on) as the model gives it, where the turn is over and where not (normal).',
      ),
  })
  .prefault({});

const people = z
  .strictObject({
    talkS: logNormal(1.2, 0.85).describe('Speech of a turn, seconds (docs/spec/latency-data.md §4.2).'),
    pauseS: logNormal(0.4, 0.75).describe('Pause inside a turn, seconds.'),
    talkPerPauseS: z.number().min(0).default(3.5).describe('Speech per pause; 0 = no pauses.'),
    gapS: z
      .strictObject({ mean: z.number(), deviation: z.number().min(0), tail: z.number().min(0) })
      .default(MACHINE_GAP)
      .describe(
        'Ex-Gaussian wait before the next turn, seconds, truncated at 0 (docs/spec/latency-data.md §4.1).',
      ),
    backchannelsPerMinute: z
      .number()
      .min(0)
      .default(2)
      .describe('While the agent speaks (docs/spec/latency-data.md §4.3).'),
    backchannelS: logNormal(0.35, 0.35).describe('Length of a backchannel, seconds.'),
    bargeIn: share().default(0.12).describe('Probability per agent turn of mean length.'),
    bargeInAfterS: positive().default(0.6).describe('Nobody barges in earlier.'),
    giveUpS: logNormal(1.2, 0.4).describe('How long a barge-in goes on against an agent that does not stop.'),
    noisesPerMinute: z.number().min(0).default(0.5).describe('Coughs, side talk.'),
    noiseS: z
      .tuple([positive(), positive()])
      .default([0.2, 3])
      .describe('Least and greatest length, seconds.'),
    wordsThatMatter: z
      .number()
      .min(0)
      .max(100)
      .default(3)
      .describe(
        'Words of a turn that have to be understood (docs/spec/latency-data.md §4.5); 0 = any answer will do.',
      ),
    noticesAfterS: positive()
      .default(1.5)
      .describe('How long an answer to something else is listened to before it is said again (assumption).'),
    patienceS: positive().default(6).describe('Silence after which the person speaks again (assumption).'),
  })
  .prefault({});

const DEFAULT_NETWORK = 'fibre';
const networkNames = Object.keys(NETWORK_PROFILES) as [NetworkName, ...NetworkName[]];
const networkProfile = z.strictObject({
  profile: z
    .enum(networkNames)
    .optional()
    .describe('What the settings below leave out is as in this profile.'),
  baseMs: z.number().min(0).describe('Delay one way.'),
  jitterMs: z.number().min(0).default(0).describe('p95 − p50 of the delay.'),
  loss: share().default(0).describe('Share of packets (Gilbert–Elliott).'),
  meanBurst: z.number().min(1).default(1).describe('Packets lost one after another.'),
  spikeMs: z.number().min(0).default(0).describe('How long a spike holds everything back.'),
  spikesPerMinute: z.number().min(0).default(0),
  handoversPerMinute: z.number().min(0).default(0).describe('All is lost for 50–200 ms.'),
  captureMs: z.number().min(0).default(35).describe('Microphone, capture buffer, echo canceller.'),
  renderMs: z.number().min(0).default(30).describe('Decoder and render buffer of the listener.'),
});

export const scenarioSchema = z.strictObject({
  name: z.string().min(1).max(80).describe('Heads the report.'),
  about: z.string().default('').describe('What to look for.'),
  durationS: positive().max(86_400).describe('Simulated time, warm-up included.'),
  warmUpS: z.number().min(0).default(20).describe('What begins in it is not counted.'),
  load,
  day: daySchema.optional(),
  engine: engineSchema,
  replyS: z
    .strictObject({
      median: positive().default(4),
      sigma: z.number().min(0).default(0.6),
      max: positive().default(40),
    })
    .prefault({})
    .describe('Length of spoken replies, lognormal, seconds.'),
  tools: toolsSchema.optional(),
  turnTaking,
  people,
  network: z.union([z.enum(networkNames), networkProfile]).default(DEFAULT_NETWORK),
  transport: z
    .strictObject({
      kind: z
        .enum(['rtp', 'webrtc', 'sip', 'live', 'websocket', 'carrier'])
        .default('rtp')
        .describe(
          'rtp: paced, lossy, jitter buffer. webrtc: the same, and Opus repairs a lost packet from the next. sip: rtp as the ' +
            'telephone door sends it. live: GPT-Live’s endless line over a WebSocket, paced and reliable. websocket: burst, ' +
            'reliable. carrier: burst with marks.',
        ),
      packetMs: count(1000)
        .multipleOf(20)
        .default(20)
        .describe(
          'At most a second: the watch for audio that has stopped coming follows packets no further.',
        ),
      leadMs: z
        .number()
        .min(20)
        .max(10_000)
        .optional()
        .describe(
          'Where sound is paced: how far ahead of real time it leaves; 40 for rtp and webrtc, 60 for sip and live.',
        ),
    })
    .prefault({}),
  video: z.boolean().default(false).describe('People show 2 pictures a second.'),
  limits: z
    .strictObject({
      maxBatch: count(4096).default(256).describe('Sessions of one engine step.'),
      prefillTokenBudget: count(65_536)
        .default(512)
        .describe('Prefill positions of one engine step, all sessions together.'),
    })
    .prefault({}),
  sweep: z
    .strictObject({
      path: z.string().min(1).describe('For example turnTaking.endpointSilenceMs.'),
      values: z
        .array(z.union([z.number(), z.string(), z.boolean()]))
        .min(1)
        .max(50),
    })
    .optional()
    .describe('Runs the scenario once for each value of one setting.'),
  capacity: z
    .strictObject({
      quantile: z.number().min(0.01).max(0.99).default(0.95),
      firstAudioMs: positive().default(800),
      mostSessions: count(10_000).default(256),
    })
    .optional()
    .describe('Searches the most sessions whose first audio stays below.'),
});

export type Scenario = z.infer<typeof scenarioSchema>;

/** @throws RuntimeError `scenario.invalid` naming the setting and its value */
export function parseScenario(given: unknown): Scenario {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const remedy = 'Write settings as "name: value"; the files in sim/scenarios show how.';
    throw new RuntimeError('scenario.invalid', 'The file holds no settings.', {}, remedy);
  }
  const result = scenarioSchema.safeParse(withProfile(given));
  if (!result.success) throw refusal(given, result.error);
  const { durationS, warmUpS } = result.data;
  checkDay(result.data);
  if (warmUpS < durationS) return result.data;
  throw new RuntimeError(
    'scenario.invalid',
    'Nothing is left after the warm-up.',
    { durationS, warmUpS },
    'Simulate longer.',
  );
}

function checkDay({ capacity, day, load, sweep }: Scenario): void {
  if (!day) return;
  const wrong = !('lines' in load) ? 'load' : sweep ? 'sweep' : capacity ? 'capacity' : null;
  if (wrong === null) return;
  const remedy = 'Give load.callsPerMinute, callMinutes and lines, and neither sweep nor capacity.';
  throw new RuntimeError(
    'scenario.invalid',
    'A day is one of calls that come and go.',
    { setting: wrong },
    remedy,
  );
}

const isMapping = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

/** `network: { profile: fibre, loss: 0.05 }`: the rest is the profile's. */
function withProfile(given: object): object {
  const { network } = given as { network?: unknown };
  if (!isMapping(network) || typeof network.profile !== 'string') return given;
  const known = Object.hasOwn(NETWORK_PROFILES, network.profile);
  return known
    ? { ...given, network: { ...NETWORK_PROFILES[network.profile as NetworkName], ...network } }
    : given;
}

/** A copy of the file's content with one setting changed: `people.bargeIn` = 0.3. Missing parents are made. */
export function withSetting(given: unknown, path: string, value: unknown): unknown {
  const [key, ...rest] = path.split('.');
  const object = isMapping(given) ? given : {};
  const named = object[key] ?? (key === 'network' ? DEFAULT_NETWORK : undefined);
  // One setting of a network that goes by its name: the rest stays the profile's.
  const inner = key === 'network' && typeof named === 'string' ? { profile: named } : object[key];
  return { ...object, [key]: rest.length === 0 ? value : withSetting(inner, rest.join('.'), value) };
}
