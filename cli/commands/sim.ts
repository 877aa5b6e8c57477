import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { searchCapacity } from '../../sim/capacity.ts';
import { runDay, type SimulatedDay } from '../../sim/day/run-day.ts';
import { type ExperimentOptions, runExperiment } from '../../sim/experiments.ts';
import { checkNoneFailed, failedCalls } from '../../sim/failures.ts';
import { parseScenario } from '../../sim/scenarios/schema.ts';
import { checkOutput } from '../media/output.ts';
import { calibrateCommand } from '../sim/calibrate.ts';
import { compareCommand } from '../sim/compare.ts';
import { figuresCsv, turnsCsv } from '../sim/csv-report.ts';
import { dayText } from '../sim/day-report.ts';
import { htmlReport } from '../sim/html-report.ts';
import { jsonReport } from '../sim/json-report.ts';
import { progressBar } from '../sim/progress-bar.ts';
import { replicationCount } from '../sim/replication-count.ts';
import { type Assignment, assignment, readScenario } from '../sim/scenario-file.ts';
import { textReport } from '../sim/text-report.ts';
import { simTrainingCommand } from './sim-training.ts';
import { simValidateCommand } from './sim-validate.ts';

interface SimOptions {
  readonly seed: string;
  readonly set: readonly Assignment[];
  readonly replications: number;
  readonly json?: boolean;
  readonly html?: string;
  readonly csv?: string;
  readonly turnsCsv?: string;
}

/** `longcat-rt sim FILE`: the product's actors under virtual time. */
export function simCommand(command: Command): Command {
  return command
    .enablePositionalOptions() // Else this command takes the options of its own name that stand behind compare or validate.
    .argument('<file>', 'scenario, YAML or JSON; examples are in sim/scenarios')
    .option('--seed <n>', 'seed of every random stream', '1')
    .option('--set <path=value>', 'change one setting of the file; may be repeated', assignment, [])
    .option('--replications <n>', 'runs with different seeds, for confidence intervals', replicationCount, 1)
    .option('--json', 'print JSON')
    .option('--html <file>', 'write a report that needs nothing else')
    .option('--csv <file>', 'write every figure with its bounds')
    .option('--turns-csv <file>', 'write every answered turn with what its time went on')
    .addHelpText(
      'after',
      '\nExample:\n  longcat-rt sim sim/scenarios/report-deployment.yaml --set load.sessions=64 --html report.html',
    )
    .addCommand(calibrateCommand())
    .addCommand(compareCommand())
    .addCommand(simTrainingCommand())
    .addCommand(simValidateCommand())
    .action(simulate);
}

async function simulate(file: string, options: SimOptions): Promise<void> {
  for (const path of [options.html, options.csv, options.turnsCsv]) if (path) checkOutput(path, [file]);
  const content = readScenario(file, options.set);
  const { replications } = options;
  const bar = progressBar();
  const onProgress = (share: number) => bar.update(share);
  try {
    const experiment = { seed: options.seed, replications, onProgress };
    const { day, points } = await simulated(content, experiment);
    const capacity = day ? null : await searchCapacity(content, experiment);
    bar.stop();
    const text = () => [textReport(points, capacity), ...(day ? [dayText(day)] : [])].join('\n\n');
    console.log(options.json ? jsonReport(points, capacity, day) : text());
    if (options.html) writeFileSync(options.html, htmlReport(points, capacity, day));
    if (options.csv) writeFileSync(options.csv, figuresCsv(points));
    if (options.turnsCsv) writeFileSync(options.turnsCsv, turnsCsv(points));
    checkNoneFailed(failedCalls(points.flatMap(({ runs }) => runs)));
  } catch (error) {
    bar.stop();
    console.error(`again: ${commandOf(file, options, replications)}`);
    throw error;
  }
}

async function simulated(
  content: unknown,
  experiment: ExperimentOptions,
): Promise<{ readonly points: SimulatedDay['points']; readonly day: SimulatedDay['day'] | null }> {
  if (parseScenario(content).day) return runDay(content, experiment);
  return { points: await runExperiment(content, experiment), day: null };
}

/** What repeats the run, ready to be pasted into a shell. */
function commandOf(file: string, { seed, set }: SimOptions, replications: number): string {
  const changes = set.flatMap(({ path, value }) => ['--set', `${path}=${JSON.stringify(value)}`]);
  const words = [
    'longcat-rt',
    'sim',
    file,
    '--seed',
    seed,
    ...changes,
    '--replications',
    String(replications),
  ];
  return words.map(shellWord).join(' ');
}

function shellWord(word: string): string {
  return /^[\w./=:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
