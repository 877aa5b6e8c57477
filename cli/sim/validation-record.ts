/** What docs/validation.md is made of beyond what is computed at once: figures that took time, as they were seen. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { RuntimeError } from '../../kernels/errors.ts';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import { readScenario } from './scenario-file.ts';

const estimate = z.strictObject({
  n: z.number(),
  value: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
});
const timing = z.strictObject({ median: z.number(), all: z.array(z.number()) });

const liveSchema = z.strictObject({
  date: z.string(),
  machine: z.string(),
  /** Live runs of each load. */
  runs: z.number(),
  rows: z.array(
    z.strictObject({
      sessions: z.number(),
      figure: z.string(),
      /** Largest share by which the simulated figure may be off; null where none was set. */
      goal: z.number().nullable(),
      /** Of all runs' turns together. */
      liveMs: z.number(),
      simulatedMs: z.number(),
      /** Of each live run. */
      runsMs: z.array(z.number()),
      turns: z.strictObject({ live: z.number(), simulated: z.number() }),
    }),
  ),
});

const coverageSchema = z.strictObject({
  seeds: z.number(),
  rows: z.array(
    z.strictObject({
      scenario: z.string(),
      figure: z.string(),
      kind: z.enum(['within a run', 'over 5 runs']),
      truth: z.number(),
      intervals: z.number(),
      held: z.number(),
    }),
  ),
});

const latency = z.number().nullable();
const replayedRowSchema = z.strictObject({
  setting: z.string(),
  /** Time to first audio of each turn, ms; null: it was not answered. */
  live: z.array(latency),
  replayed: z.array(latency),
  /** Null: other turns were answered. */
  worstMs: latency,
});

const replayedSchema = z.strictObject({
  date: z.string(),
  /** Of the real runs. */
  clock: z.string(),
  /** The recording of the person. */
  said: z.string(),
  rows: z.array(replayedRowSchema),
});

const recordSchema = z.strictObject({
  theory: z.array(z.strictObject({ system: z.string(), expected: z.number(), simulated: estimate })),
  conversations: z.array(
    z.strictObject({
      scenario: z.string(),
      figure: z.string(),
      expected: z.string(),
      unit: z.enum(['ms', '%']),
      estimate,
    }),
  ),
  /** Of each scenario file, so that a changed one is noticed. */
  scenarios: z.record(z.string(), z.string()),
  speed: z
    .strictObject({
      date: z.string(),
      machine: z.string(),
      customers: z.number(),
      ours: timing,
      simpy: timing.nullable(),
      conversations: z.strictObject({
        sessions: z.number(),
        minutes: z.number(),
        wall: timing,
        processor: timing,
      }),
      /** Simulated seconds a second of processor time. */
      paced: z
        .array(z.strictObject({ sessions: z.number(), seconds: z.number(), times: timing }))
        .default([]),
    })
    .nullable(),
  live: liveSchema.nullable().default(null),
  coverage: coverageSchema.nullable().default(null),
  replayed: replayedSchema.nullable().default(null),
});

export type ReplayedRow = z.infer<typeof replayedRowSchema>;
export type LiveRecord = z.infer<typeof liveSchema>;
export type ValidationRecord = z.infer<typeof recordSchema>;
export type RecordedEstimate = z.infer<typeof estimate>;

const pathOf = (name: string) => `${PACKAGE_ROOT}docs/${name}`;
const RECORD_FILE = pathOf('validation.json');
export const PAGE_FILE = pathOf('validation.md');

/** @throws RuntimeError `validation.record` when the file is not one */
export function readRecord(file = RECORD_FILE): ValidationRecord | null {
  if (!existsSync(file)) return null;
  const parsed = recordSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  const values = { file, cause: parsed.error.issues[0].message };
  throw new RuntimeError(
    'validation.record',
    'The record of the validation is not readable.',
    values,
    'Write it again: longcat-rt sim validate --write.',
  );
}

export function writeRecord(record: ValidationRecord, file = RECORD_FILE): void {
  const rounded = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(4)) : value;
  writeFileSync(file, `${JSON.stringify(record, rounded, 2)}\n`);
}

const scenarioPath = (stem: string) => `${PACKAGE_ROOT}sim/scenarios/${stem}.yaml`;

/** The content of a shipped scenario. */
export const readShipped = (stem: string): unknown => readScenario(scenarioPath(stem), []);

/** Of what a scenario says, not of its comments. */
export function scenarioHash(stem: string): string {
  return createHash('sha256')
    .update(JSON.stringify(readShipped(stem)))
    .digest('hex')
    .slice(0, 16);
}
