/** What train/parallel/measure.py wrote of the four-process run: docs/training-parallelism.json. */
import { z } from 'zod';

const operator = z.object({
  count: z.number(),
  /** Of the rank's thread, without exchanges: of one, the median over steps of the step's mean. */
  ownMs: z.number(),
  /** The same of each in turn. */
  eachMs: z.array(z.number()),
  tokens: z.array(z.number()),
  held: z.array(z.number()),
  most: z.array(z.number()),
});

/** Messages of a step: an end is one sent or one received. */
const messages = z.object({
  ends: z.number(),
  bytes: z.number(),
  threadMs: z.number(),
  besideMs: z.number(),
});

/** Of an exchange of four ranks that run no layout: train/parallel/crowd.py. */
const crowdRow = z.object({
  members: z.number(),
  together: z.boolean(),
  size: z.number(),
  count: z.number(),
  others: z.number(),
  ends: z.number(),
  bytes: z.number(),
  /** From one exchange to the next; and of that a rank's work. */
  wallMs: z.number(),
  workMs: z.number(),
  threadMs: z.number(),
  besideMs: z.number(),
});

const layoutSchema = z.object({
  name: z.string(),
  fitted: z.boolean(),
  dp: z.number(),
  cp: z.number(),
  pp: z.number(),
  ep: z.number(),
  stepMs: z.array(z.number()),
  /** Of a processor that other programs took, by step; steps in which it was more are dropped. */
  others: z.array(z.number()),
  dropped: z.number(),
  ranks: z.array(
    z.object({
      place: z.tuple([z.number(), z.number(), z.number()]),
      static: z.number(),
      peak: z.number(),
      operators: z.record(z.string(), operator),
      messages,
    }),
  ),
});

export const measuredSchema = z.object({
  date: z.string(),
  processors: z.number(),
  /** Processors of the four ranks. */
  bound: z.array(z.number()),
  load: z.array(z.number()),
  length: z.number(),
  microBatches: z.number(),
  hidden: z.number(),
  layers: z.number(),
  chunks: z.number(),
  work: z.object({
    /** Tokens of the items of each micro-batch, in the order in which micro-batches are dealt out. */
    items: z.array(z.array(z.number())),
    /** Numbers of a position that attention exchanges, and experts that it chooses. */
    latent: z.number(),
    choices: z.number(),
  }),
  parameters: z.object({
    layerDense: z.number(),
    layerExperts: z.number(),
    first: z.number(),
    last: z.number(),
    encoders: z.record(z.string(), z.number()),
  }),
  /** What an exchange takes where ranks outnumber processors. */
  crowd: z.array(crowdRow),
  layouts: z.array(layoutSchema),
});

export type Measured = z.infer<typeof measuredSchema>;
export type SmallLayout = Measured['layouts'][number];
export type SmallSizes = Pick<SmallLayout, 'dp' | 'cp' | 'pp' | 'ep'>;

/** The trainable numbers of a rank; `encoders` are those that the measured stage trains, whole. */
export function countsOf({ parameters, layers }: Measured, { pp, ep }: SmallSizes, stage: number) {
  const here = layers / pp;
  const ends = (stage === 0 ? parameters.first : 0) + (stage === pp - 1 ? parameters.last : 0);
  return {
    dense: here * parameters.layerDense + ends,
    experts: (here * parameters.layerExperts) / ep,
    encoders: parameters.encoders.vision,
  };
}
