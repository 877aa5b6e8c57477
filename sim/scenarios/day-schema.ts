import { z } from 'zod';

const seconds = () => z.number().min(0).max(86_400);

/** A day of calls: each of them comes and goes; what is said is simulated in stretches. */
export const daySchema = z
  .strictObject({
    everyS: z
      .number()
      .min(60)
      .max(86_400)
      .default(3600)
      .describe('Of each such part one stretch of all conversations is simulated, at a time that is drawn.'),
    forS: z
      .number()
      .min(10)
      .max(3600)
      .default(60)
      .describe('Length of a stretch; the warm-up comes before it.'),
    replicas: z
      .strictObject({
        sessions: z.number().int().min(1).max(10_000).describe('Calls that one replica of the engine takes.'),
        least: z.number().int().min(1).max(256).default(1),
        most: z.number().int().min(1).max(256).default(256),
        spare: z
          .number()
          .min(0)
          .max(10)
          .default(0.25)
          .describe('As many are wanted as hold the calls under way and this share more.'),
        startS: seconds()
          .default(120)
          .describe('Until a new one takes calls; it is paid for from the order.'),
        idleS: seconds()
          .default(600)
          .describe('One too many for so long takes no more calls, and goes when its last has ended.'),
        failureS: z
          .number()
          .min(0)
          .default(0)
          .describe('Mean time to the failure of one; its calls are lost. 0 = never.'),
      })
      .optional()
      .describe('The engine as often as it is needed (autoscaling); else there is one, for all lines.'),
    lost: z
      .array(seconds())
      .max(1000)
      .default([])
      .describe('At these times the fullest replica fails, whatever else does.'),
    redial: z
      .strictObject({
        share: z.number().min(0).max(1).default(0.8),
        afterS: z.number().positive().default(20).describe('Mean of an exponential wait.'),
      })
      .prefault({})
      .describe('Of callers who were refused or lost (assumption).'),
  })
  .refine(({ everyS, forS }) => forS <= everyS, { path: ['forS'], message: 'is longer than everyS' });
