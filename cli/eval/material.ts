import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { RuntimeError } from '../../kernels/errors.ts';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';

const GENERATOR = 'train/data/held_out.py';
const MANIFEST = 'manifest.json';
/** Where it is made and found unless the person says otherwise, whatever the working directory. */
export const SHIPPED_MATERIAL = join(PACKAGE_ROOT, '.cache', 'eval');
const GENERATE_TIMEOUT_MS = 3_600_000;

/** Raised when the same seeds mean other material. */
const VERSION = 4;

const file = z.string().min(1);
const turn = z.object({
  /** What is said. */
  text: z.string(),
  audio: file,
  /** The sentences expected; none where the turn is unfinished. */
  answer: z.array(z.string()),
  pictures: z.array(z.object({ file, atMs: z.number().min(0) })),
  /** The next turn interrupts so many milliseconds after the reply began. */
  cutAfterMs: z.number().min(0).optional(),
  /** Where a conversation is judged at other turns than its last. */
  judged: z.boolean().optional(),
});
const call = z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) });
const effect = z.enum(['none', 'world']).optional();
const conversation = z.object({
  suite: z.string(),
  kind: z.string(),
  turns: z.array(turn).min(1),
  /** Told before it, with JSON Schemas; the call that is wanted of the last turn, null: none. */
  tools: z
    .array(z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()), effect }))
    .optional(),
  call: call.nullish(),
  /** What the tool gives. */
  result: z.string().optional(),
});
const recording = z.object({
  suite: z.string(),
  audio: file,
  text: z.string(),
  codes: z.array(z.array(z.number().int()).length(4)).optional(),
});
const picture = z.object({
  suite: z.string(),
  pictures: z.array(file).min(1).max(2),
  labels: z.array(z.number().int().min(0)),
  motion: z.number().int().min(0),
});
const manifest = z.object({
  version: z.literal(VERSION),
  sentences: z.array(z.string()),
  otherSentences: z.array(z.string()),
  cases: z.array(z.union([conversation, picture, recording])),
});

export type EvalTurn = z.infer<typeof turn>;
export type EvalConversation = z.infer<typeof conversation>;
export type EvalRecording = z.infer<typeof recording>;
export type EvalPicture = z.infer<typeof picture>;

/** Held-out material in a folder; paths of its cases are relative to it. */
export interface Material {
  readonly directory: string;
  /** Every sentence the model can say, and sentences in its voice that it never says. */
  readonly sentences: readonly string[];
  readonly otherSentences: readonly string[];
  readonly conversations: readonly EvalConversation[];
  readonly recordings: readonly EvalRecording[];
  readonly pictures: readonly EvalPicture[];
}

export const SYSTEM_PROGRAMS = '/usr/bin';

/** Debian's Python first: it is the one that has Debian's packages. */
export const makerEnvironment = (systemPrograms = SYSTEM_PROGRAMS) => ({
  ...process.env,
  PATH: `${systemPrograms}:${process.env.PATH}`,
});

export function hasMaterial(directory: string): boolean {
  return existsSync(join(directory, MANIFEST));
}

/**
 * Loads the held-out material; makes it first where there is none.
 * @throws RuntimeError `eval.material`
 */
export function openMaterial(directory: string): Material {
  if (!hasMaterial(directory)) generate(directory);
  const { cases, ...rest } = read(join(directory, MANIFEST));
  return {
    directory,
    ...rest,
    conversations: cases.filter(entry => 'turns' in entry),
    pictures: cases.filter(entry => 'labels' in entry),
    recordings: cases.filter(entry => 'audio' in entry),
  };
}

function read(path: string): z.infer<typeof manifest> {
  const { data, error } = manifest.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (data) return data;
  const remedy = 'Remove the folder: the next run makes the material anew.';
  const [{ message, path: at }] = error.issues;
  throw new RuntimeError(
    'eval.material',
    'The held-out material is not of this version.',
    { path, at, message },
    remedy,
  );
}

function generate(directory: string): void {
  console.error(`Making held-out voices and pictures in ${directory}: some minutes, once.`);
  try {
    execFileSync('python3', [join(PACKAGE_ROOT, GENERATOR), '--to', directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: GENERATE_TIMEOUT_MS,
      env: makerEnvironment(),
    });
  } catch (error) {
    const cause = String((error as { stderr?: Buffer }).stderr ?? (error as Error).message)
      .trim()
      .split('\n')
      .at(-1);
    const remedy = `Install what ${dirname(dirname(GENERATOR))}/README.md lists (python3-torch, flite, espeak-ng), or give --material.`;
    throw new RuntimeError(
      'eval.material',
      'The held-out material cannot be made.',
      { directory, cause },
      remedy,
    );
  }
}
