/**
 * How often the simulator's 95 % intervals hold the truth: many seeds of four scenarios, for a quiet night.
 *
 *   npm run bench -- coverage [--seeds 200] [--scenarios idle,contended,calls,lossy] [--state FILE] [--record]
 *
 * Scenarios that are done are kept in --state; `--record` takes the table into docs/validation.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { coverageTable, validationPage } from '../cli/sim/validation-page.ts';
import { PAGE_FILE, readRecord, writeRecord } from '../cli/sim/validation-record.ts';
import { COVERAGE_SCENARIOS, type Coverage, coverageOf } from '../sim/validation/coverage.ts';
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
  .option('--state <file>', 'where finished scenarios are kept', '.cache/coverage.json')
  .option('--record', 'take the table into docs/validation.md', false)
  .parse()
  .opts<Options>();

const done: Record<string, Coverage[]> = existsSync(options.state)
  ? JSON.parse(readFileSync(options.state, 'utf8'))
  : {};
for (const scenario of options.scenarios) {
  const key = `${scenario} ${options.seeds}`;
  if (done[key]) continue;
  const beganMs = performance.now();
  done[key] = await coverageOf(scenario, options.seeds);
  mkdirSync(dirname(options.state), { recursive: true });
  writeFileSync(options.state, JSON.stringify(done, null, 2));
  console.error(`${scenario}: ${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
}
const rows = options.scenarios.flatMap(scenario => done[`${scenario} ${options.seeds}`]);
if (options.record) {
  const known = readRecord();
  if (!known) throw new Error('There is no record yet: longcat-rt sim validate --write.');
  writeRecord({ ...known, coverage: { seeds: options.seeds, rows } });
  writeFileSync(PAGE_FILE, validationPage(publishedGroups(), readRecord()!));
}
console.log(coverageTable(rows));
