import { z } from 'zod';
import type { SessionMethod } from './format.ts';
import { speakerTraits } from './speaker-traits.ts';

/** A recording is a file and may be damaged or made by anybody: what is called on a session from it is checked before. */
const sound = z.union([z.instanceof(Float32Array), z.instanceof(Int16Array)]);
const side = z.int().min(1).max(65_536);
const picture = z
  .object({ width: side, height: side, data: z.instanceof(Uint8Array) })
  .refine(({ width, height, data }) => data.length === 3 * width * height, 'not three bytes a pixel');
const optional = <T extends z.ZodType>(type: T) => type.nullish();
const id = z.string().max(512);
const content = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('audio'), samples: sound, transcript: optional(z.string()) }),
  z.object({ type: z.literal('image'), image: picture }),
]);
const item = z.object({
  id: optional(id),
  role: z.enum(['system', 'user', 'assistant']),
  content: z.array(content),
});
const settings = z.record(z.string(), z.unknown());
const samples = z.number().min(0);

const ARGUMENTS: { readonly [M in SessionMethod]: readonly z.ZodType[] } = {
  open: [settings, optional(speakerTraits)],
  pushAudio: [sound],
  pushVideo: [picture, optional(z.number())],
  commitInput: [],
  clearInput: [],
  addItem: [z.looseObject(item.shape), optional(id)],
  deleteItem: [id],
  truncateItem: [id, z.number()],
  createResponse: [optional(settings)],
  cancelResponse: [optional(id)],
  update: [settings],
  reportHeard: [id, samples, optional(z.number())],
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
