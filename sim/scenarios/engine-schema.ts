import { z } from 'zod';
import { ACCELERATORS, type AcceleratorName } from '../engines/hardware.ts';
import { modelSchema } from '../models/model-schema.ts';

const nonNegative = () => z.number().min(0).default(0);
const devices = (max: number) => z.number().int().min(0).max(max);

const languageModelLine = z
  .strictObject({
    stepMs: nonNegative(),
    perDecodeMs: nonNegative(),
    perPrefillPositionMs: nonNegative(),
    perContextPositionMs: nonNegative(),
  })
  .prefault({});
const audioLine = z.strictObject({ stepMs: nonNegative(), perSecondMs: nonNegative() }).prefault({});

const common = {
  maxPositions: z.number().int().min(256).default(131_072).describe('Positions of one context.'),
  tokensPerPicture: z
    .number()
    .int()
    .min(1)
    .max(1458)
    .default(288)
    .describe('docs/spec/latency-data.md §2.2.'),
  reservedPositions: z
    .number()
    .int()
    .min(0)
    .default(4096)
    .describe(
      'Of the cache, for each session from its beginning; a call for which there is no room is refused.',
    ),
  outages: z
    .array(z.strictObject({ atS: z.number().min(0).max(86_400), forS: z.number().min(0).max(86_400) }))
    .max(1000)
    .default([])
    .describe(
      'The language model’s host is lost, and another takes over after `forS` without the caches. What waits longer than the runtime’s 5 s ends its session.',
    ),
  prefill: z
    .enum(['arriving', 'deferred'])
    .default('arriving')
    .describe('deferred: nothing is prefilled before a reply is wanted.'),
};

/**
 * The engine of a scenario: constants, a measured profile (the same lines from a file), or the full model on a cluster.
 */
export const engineSchema = z.discriminatedUnion('law', [
  z.strictObject({
    law: z.literal('linear'),
    languageModel: languageModelLine,
    audioEncoder: audioLine,
    visionEncoder: z.strictObject({ stepMs: nonNegative(), perTokenMs: nonNegative() }).prefault({}),
    speechTokenizer: audioLine,
    ganDecoder: z.strictObject({ stepMs: nonNegative(), perFrameMs: nonNegative() }).prefault({}),
    servers: z.number().int().min(1).max(64).default(1).describe('Steps the one device works on at once.'),
    timerLateMs: z
      .array(z.number().min(0))
      .max(100)
      .default([])
      .describe('Equally likely latenesses of a live timer, measured; for the comparison with live runs.'),
    dollarsPerHour: z.number().min(0).default(0),
    boardWatts: z.number().min(0).default(0).describe('Of the device at work; a fifth of it while it waits.'),
    cachePositions: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('Positions that all contexts together may hold; 0 = no account is kept.'),
    speech: z
      .strictObject({
        frameMs: z.number().int().min(10).max(1000).default(60),
        lookAheadFrames: z.number().int().min(0).max(64).default(3),
      })
      .prefault({}),
    ...common,
  }),
  z.strictObject({
    law: z.literal('cluster'),
    model: z
      .union([z.string().min(1).max(200), modelSchema])
      .default('longcat-flash-omni')
      .describe('A file of sim/models by its name, the path of one like it, or its content.'),
    accelerator: z.enum(Object.keys(ACCELERATORS) as [AcceleratorName, ...AcceleratorName[]]).default('H800'),
    decodeDevices: devices(256).min(1).default(16),
    prefillDevices: devices(256).default(0).describe('0 = the decoding devices prefill as well (colocated).'),
    sideDevices: devices(64)
      .min(1)
      .default(1)
      .describe('For encoders and decoder; each stage of them queues there.'),
    decode: z
      .enum(['auto', 'roofline', 'measured', 'table'])
      .default('auto')
      .describe(
        'measured: the line through LongCat-Flash on H800 (docs/spec/latency-data.md §3.1), at other sizes with what the sheets ' +
          'say of the difference; roofline: from the sheets; table: `decodeTable`; auto: the first of table and measured that applies.',
      ),
    decodeTable: z
      .array(
        z.strictObject({
          batch: z.number().min(1).describe('Sequences on all devices.'),
          context: z.number().min(0).describe('Mean positions of one.'),
          ms: z.number().positive(),
        }),
      )
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        'Measured steps; between them linear, beyond them as at the edge. In a file: the path of a CSV with these columns.',
      ),
    draft: z
      .strictObject({ tokens: z.number().int().min(0).max(16), acceptance: z.number().min(0).max(1) })
      .optional()
      .describe(
        'Tokens proposed and verified in a step, instead of the model’s own; a step counts as 1 + tokens × acceptance.',
      ),
    stepOverheadMs: z.number().min(0).default(0).describe('Added to the roofline; calibrate.'),
    blockOverheadMs: z.number().min(0).default(0).describe('The same for each attention block.'),
    ...common,
  }),
]);

export type EngineScenario = z.infer<typeof engineSchema>;
