import { z } from 'zod';

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
  prefill: z
    .enum(['arriving', 'deferred'])
    .default('arriving')
    .describe('deferred: nothing is prefilled before a reply is wanted.'),
};

/** The engine of a scenario: constants, a measured profile (the same lines from a file), or the full model on a cluster. */
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
    ...common,
  }),
  z.strictObject({
    law: z.literal('cluster'),
    accelerator: z.enum(['H100', 'H800', 'H200', 'H20']).default('H800'),
    decodeDevices: devices(256).min(1).default(16),
    prefillDevices: devices(256).default(0).describe('0 = the decoding devices prefill as well (colocated).'),
    sideDevices: devices(64)
      .min(1)
      .default(1)
      .describe('For encoders and decoder; each stage of them queues there.'),
    decode: z
      .enum(['roofline', 'measured'])
      .default('measured')
      .describe(
        'measured: the line through LongCat-Flash on H800 (docs/spec/latency-data.md §3.1); roofline: from the sheets.',
      ),
    stepOverheadMs: z.number().min(0).default(0).describe('Added to the roofline; calibrate.'),
    ...common,
  }),
]);

export type EngineScenario = z.infer<typeof engineSchema>;
