/**
 * A model as the simulator's arithmetic needs it: sizes, what a step makes, and what else works on each frame of
 * speech.
 */
import { z } from 'zod';

const count = (max: number) => z.number().int().min(1).max(max);
const parameters = () => z.number().min(0).max(1e13);

const attention = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z
      .literal('latent')
      .describe('Multi-head latent attention: one compressed vector a token is cached.'),
    perLayer: count(8).default(1),
    heads: count(1024),
    headDim: count(1024),
    queryRank: count(65_536),
    kvRank: count(65_536),
    ropeDim: count(1024),
    window: count(10_000_000).optional().describe('Positions that are attended to at most.'),
  }),
  z.strictObject({
    kind: z.literal('grouped').describe('Grouped queries: keys and values of `kvHeads` heads are cached.'),
    perLayer: count(8).default(1),
    heads: count(1024),
    kvHeads: count(1024),
    headDim: count(1024),
    window: count(10_000_000).optional(),
  }),
]);

export const modelSchema = z.strictObject({
  name: z.string().min(1).max(80),
  layers: count(1000),
  hidden: count(65_536),
  vocabulary: count(10_000_000),
  attention,
  dense: z
    .strictObject({ perLayer: count(8), inner: count(1_000_000), layers: count(1000).optional() })
    .optional()
    .describe('Dense feed-forward networks; in the first `layers` layers, or in all.'),
  experts: z
    .strictObject({
      count: count(4096),
      zero: z.number().int().min(0).default(0).describe('Experts among the chosen that compute nothing.'),
      chosen: count(4096).describe('Of all, for each token.'),
      shared: z.number().int().min(0).default(0),
      inner: count(1_000_000),
      layers: count(1000).optional().describe('Layers that have them; all unless given.'),
    })
    .optional(),
  weightBytes: z.number().min(0.25).max(4).default(1).describe('Of feed-forward weights and experts.'),
  attentionBytes: z.number().min(0.25).max(4).default(2).describe('Of attention and embedding weights.'),
  cacheBytes: z.number().min(0.25).max(4).default(2).describe('Of one number in the cache.'),
  overlap: z
    .enum(['none', 'single-batch', 'two-batch'])
    .default('none')
    .describe(
      'What hides the exchange of experts: nothing, the dense path beside it, or another half of the batch.',
    ),
  draft: z
    .strictObject({
      tokens: z.number().int().min(0).max(16).default(0),
      acceptance: z.number().min(0).max(1).default(0),
    })
    .prefault({})
    .describe('Tokens that are proposed and verified in one step.'),
  speech: z.strictObject({
    frameMs: z.number().min(10).max(1000),
    codebooks: count(64),
    lookAheadFrames: z.number().int().min(0).max(64),
    delayFrames: z.number().int().min(0).max(64).default(1).describe('Acoustic codes behind the others.'),
    headSteps: z
      .number()
      .int()
      .min(0)
      .max(1000)
      .default(0)
      .describe('Steps before the first frame of speech begins.'),
  }),
  stages: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(40),
        layers: count(1000),
        parameters: parameters(),
        activeParameters: parameters(),
        stepsPerFrame: count(256).default(1),
      }),
    )
    .max(16)
    .default([])
    .describe('What works on each frame beside the language model, one after the other.'),
  encoders: z.strictObject({
    audioParameters: parameters(),
    audioFrameMs: z.number().min(5).max(1000),
    visionParameters: parameters(),
    codecParameters: parameters(),
  }),
});

export type ModelSpec = z.infer<typeof modelSchema>;
