/**
 * What a recording says. A session's outside world is: the calls made on it, the moments at which its timers fired, and
 * when and in which order the engine and its tools answered. Everything else the actors do follows from these, from the
 * seed and from the weights, so a recording needs no more to be run again to the bit.
 *
 * Each entry also says what followed from its cause, so that a replay can name the first thing that came out
 * differently.
 */
import { z } from 'zod';
import { ENGINE_COMPONENTS } from '../core/engine-steps.ts';
import { argumentProblem, SESSION_METHODS } from './call-arguments.ts';

export const FORMAT = 'longcat-rt recording';
export const VERSION = 4;
/** Version 2 knows nothing of tools, version 3 has live pictures as pixels alone; both are the same otherwise. */
const READ = [2, 3, VERSION];

const MAX_TOOLS = 1000;

const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(READ),
  /** Settings of the process that matter to the actors: seed, engine, model, limits, delays. */
  config: z.record(z.string(), z.unknown()),
  model: z.object({ name: z.string(), hash: z.string() }),
  engine: z.string(),
  /** What the runtime's own tools are, without what they do. */
  tools: z.array(z.record(z.string(), z.unknown())).max(MAX_TOOLS).default([]),
  clock: z.enum(['real', 'virtual']),
  /** Runtime clock at which the recording begins. */
  startedAtMs: z.number(),
});

const callSchema = z
  .object({
    session: z.string(),
    method: z.enum(SESSION_METHODS),
    args: z.array(z.unknown()),
    /** Code of the error that the caller got; null when the call was accepted. */
    refused: z.string().nullable(),
  })
  .superRefine(({ method, args, refused }, context) => {
    // What was refused then may be refused now.
    const message = refused === null ? argumentProblem(method, args) : null;
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

const outcomeSchema = z.union([
  /** Which items were dropped because their stream was closed, and a hash of the answers of all others. */
  z.object({ dropped: z.array(z.number()), hash: z.string() }),
  z.object({ code: z.string(), message: z.string() }),
]);

/** What a tool gave; a call that went wrong says how, and a crash that nobody knows. */
const toolOutcomeSchema = z.union([
  z.object({ output: z.string().nullable() }),
  z.object({ error: z.string() }),
  z.object({ crash: z.string() }),
]);

/** What a tool was asked: to run with these arguments (JSON), or whether the call of this key happened. */
const askSchema = z.object({ tool: z.string(), what: z.enum(['run', 'happened']), given: z.string() });

const causeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('call'), call: callSchema }),
  /** The nth timer set in this recording; −1 is one that was set before it began. */
  z.object({ type: z.literal('timer'), timer: z.number() }),
  /** The nth engine step begun in this recording; −1 is one begun before. */
  z.object({ type: z.literal('answer'), step: z.number(), outcome: outcomeSchema }),
  /** The nth time in this recording that a tool was asked; −1 is one of before. */
  z.object({ type: z.literal('tool'), ask: z.number(), outcome: toolOutcomeSchema }),
  z.object({ type: z.literal('end'), reason: z.string() }),
]);

const entrySchema = z.object({
  atMs: z.number(),
  cause: causeSchema,
  /** Due times of the timers that were set. */
  timers: z.array(z.number()),
  steps: z.array(z.object({ component: z.enum(ENGINE_COMPONENTS), hash: z.string() })),
  /** Of tools, in this order. */
  asks: z.array(askSchema).default([]),
  /** As JSON; sound and pictures are their length and hash. */
  events: z.array(z.object({ session: z.string(), json: z.string() })),
  /** Calls made while an event was being delivered: after the event of this number, from 0. */
  nested: z.array(z.object({ afterEvent: z.number(), call: callSchema })),
});

export type RecordingHeader = z.infer<typeof headerSchema>;
export type RecordedCall = z.infer<typeof callSchema>;
export type ToolAsk = z.infer<typeof askSchema>;
export type RecordedToolOutcome = z.infer<typeof toolOutcomeSchema>;
export type RecordedOutcome = z.infer<typeof outcomeSchema>;
export type Cause = z.infer<typeof causeSchema>;
export type RecordingEntry = z.infer<typeof entrySchema>;

export const parseHeader = (given: unknown) => headerSchema.safeParse(given);
export const parseEntry = (given: unknown) => entrySchema.safeParse(given);
