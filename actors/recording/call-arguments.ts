import { z } from 'zod';
import { speakerTraits } from './speaker-traits.ts';

/**
 * What may be called on a session from outside; `open` makes it, with its settings, what kind of speaker its transport
 * brought, if any, and the tools of its options; `send` tells it a command.
 */
export const SESSION_METHODS = ['open', 'send', 'close'] as const;
export type SessionMethod = (typeof SESSION_METHODS)[number];

/**
 * A recording is a file and may be damaged or made by anybody: what is called on a session from it is checked before.
 */
const sound = z.union([z.instanceof(Float32Array), z.instanceof(Int16Array)]);
const side = z.int().min(1).max(65_536);
const pixels = z
  .object({ width: side, height: side, data: z.instanceof(Uint8Array) })
  .refine(({ width, height, data }) => data.length === 3 * width * height, 'not three bytes a pixel');
const picture = z.union([
  pixels,
  z.object({
    ...{ format: z.enum(['png', 'jpeg', 'webp']), width: side, height: side },
    bytes: z.instanceof(Uint8Array),
  }),
]);
const optional = <T extends z.ZodType>(type: T) => type.nullish();
const id = z.string().max(512);
const content = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('audio'), samples: sound, transcript: optional(z.string()) }),
  z.object({ type: z.literal('image'), image: pixels }),
  z.object({ type: z.literal('call'), callId: z.string(), name: z.string(), argumentsJson: z.string() }),
  z.object({ type: z.literal('call.output'), callId: z.string(), output: z.string() }),
  z.object({ type: z.literal('foreign'), kind: z.string(), fields: z.record(z.string(), z.unknown()) }),
]);
const item = z.object({
  id: optional(id),
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.array(content),
});
const settings = z.record(z.string(), z.unknown());
const samples = z.number().min(0);
const atMs = z.number();

const command = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('audio'),
    samples: sound,
    mediaMs: optional(atMs),
    lost: optional(z.boolean()),
    isVoiceless: optional(z.boolean()),
    waitedMs: optional(atMs),
    lateMs: optional(atMs),
    heldBackMs: optional(atMs),
  }),
  z.object({ type: z.literal('picture'), image: picture, capturedAtMs: optional(atMs) }),
  z.object({ type: z.literal('dtmf'), digit: z.string() }),
  z.object({ type: z.literal('input.commit') }),
  z.object({ type: z.literal('input.clear') }),
  z.object({ type: z.literal('item.add'), item: z.looseObject(item.shape), after: optional(id) }),
  z.object({ type: z.literal('item.delete'), itemId: id }),
  z.object({
    type: z.literal('item.update'),
    itemId: id,
    fields: z.record(z.string(), z.unknown()),
  }),
  z.object({ type: z.literal('item.truncate'), itemId: id, audioEndMs: z.number() }),
  z.object({ type: z.literal('response.create'), responseId: optional(id), options: optional(settings) }),
  z.object({ type: z.literal('response.cancel'), responseId: optional(id) }),
  z.object({ type: z.literal('line'), lost: z.boolean() }),
  z.object({ type: z.literal('settings.update'), settings }),
  z.object({
    type: z.literal('played'),
    itemId: id,
    samples,
    atMs: optional(atMs),
    firstAtMs: optional(atMs),
  }),
]);

const ARGUMENTS: { readonly [M in SessionMethod]: readonly z.ZodType[] } = {
  open: [settings, optional(speakerTraits), optional(z.array(settings))],
  send: [command],
  close: [z.string()],
};

/** What is wrong with the arguments of a recorded call; null: nothing. */
export function argumentProblem(method: SessionMethod, args: readonly unknown[]): string | null {
  const expected = ARGUMENTS[method];
  for (const [i, type] of expected.entries()) {
    const { error } = type.safeParse(args[i]);
    if (error) return `argument ${i + 1} of ${method}: ${error.issues[0].message}`;
  }
  return args.length > expected.length ? `${method} has ${args.length} arguments` : null;
}
