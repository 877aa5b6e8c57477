import { z } from 'zod';
import { LEAST_CALL_TOKENS } from '../engines/call-script.ts';

/** Replies that need a tool first. */
export const toolsSchema = z
  .strictObject({
    share: z.number().min(0).max(1).describe('Of the replies, those that begin with a call.'),
    takesS: z
      .strictObject({
        median: z.number().positive().default(0.3),
        sigma: z.number().min(0).max(3).default(0.5),
        max: z.number().positive().max(600).default(30),
      })
      .prefault({})
      .describe('Of the tool, lognormal, seconds. Beyond the runtime’s ten seconds the model is told so.'),
    effect: z
      .enum(['none', 'world'])
      .default('none')
      .describe('none: it may run before the endpoint, for nothing; world: after it, once (docs/tools.md).'),
    callTokens: z
      .number()
      .int()
      .min(LEAST_CALL_TOKENS)
      .max(4096)
      .default(24)
      .describe('Steps that writing the call takes.'),
    resultTokens: z.number().int().min(1).max(4096).default(40).describe('Prefilled when it has answered.'),
    saysWords: z
      .number()
      .int()
      .min(0)
      .max(100)
      .default(0)
      .describe('Said before the call, so that nobody waits in silence.'),
  })
  .describe('Tool calls.');
