/**
 * How often the simulator's 95 % intervals hold the truth: many seeds of four scenarios, for a quiet night.
 *
 *   npm run bench -- coverage [--seeds 200] [--scenarios idle,contended,calls,lossy] [--state FOLDER] [--record]
 *
 * Each run is kept in --state, so that a night may be cut short and gone on with: throw the folder away where the
 * simulator has changed. `--record` takes the table into docs/validation.md.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { coverageTable, validationPage } from '../cli/sim/validation-page.ts';
import { PAGE_FILE, readRecord, writeRecord } from '../cli/sim/validation-record.ts';
import { COVERAGE_SCENARIOS, type Coverage, coverageIn, coverageRun } from '../sim/validation/coverage.ts';
import type { RunResult } from '../sim/results.ts';
import { publishedGroups } from '../sim/validation/published.ts';

interface Options {
  readonly seeds: number;
  readonly scenarios: readonly string[];
  readonly state: string;
  readonly record: boolean;
}

const options = new Command('coverage')
  .option('--seeds <n>', 'runs of each scenario', text => Number.parseInt(text, 10), 200)
  .option('--scenarios <a,b>', 'which', text => text.split(','), Object.keys(COVERAGE_SCENARIOS))
  .option('--state <folder>', 'folder of the runs that are done', '.cache/coverage')
  .option('--record', 'take the table into docs/validation.md', false)
  .parse()
  .opts<Options>();

const { scenarios, seeds, state } = options;
mkdirSync(state, { recursive: true });
const rows: Coverage[] = [];
for (const scenario of scenarios) {
  const runs: RunResult[] = [];
  for (let seed = 0; seed < seeds; seed++) runs.push(await kept(scenario, seed));
  rows.push(...coverageIn(scenario, runs));
  console.error(`${scenario}: ${seeds} seeds`);
}
if (options.record) {
  const known = readRecord();
  if (!known) throw new Error('There is no record yet: longcat-rt sim validate --write.');
  writeRecord({ ...known, coverage: { seeds, rows } });
  writeFileSync(PAGE_FILE, validationPage(publishedGroups(), readRecord()!));
}
console.log(coverageTable(rows));

/** A run from the folder, or one that goes there. */
async function kept(scenario: string, seed: number): Promise<RunResult> {
  const file = join(state, `${scenario}-${seed}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const run = await coverageRun(scenario, seed);
  writeFileSync(`${file}.new`, JSON.stringify(run));
  renameSync(`${file}.new`, file);
  return run;
}
