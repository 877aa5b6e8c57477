import { writeFileSync } from 'node:fs';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { runExperiment, searchCapacity } from '../../sim/experiments.ts';
import { wholeNumber } from '../options.ts';
import { htmlReport } from '../sim/html-report.ts';
import { jsonReport } from '../sim/json-report.ts';
import { type Assignment, assignment, readScenario } from '../sim/scenario-file.ts';
import { textReport } from '../sim/text-report.ts';

interface SimOptions {
  readonly seed: string;
  readonly set: readonly Assignment[];
  readonly replications: number;
  readonly json?: boolean;
  readonly html?: string;
}

const MAX_REPLICATIONS = 1000;

/** `longcat-rt sim FILE`: the product's actors under virtual time. */
export function simCommand(): Command {
  return new Command('sim')
    .description('Simulate a scenario: the same actors, a modelled engine, simulated people and networks.')
    .argument('<file>', 'scenario, YAML or JSON; examples are in sim/scenarios')
    .option('--seed <n>', 'seed of every random stream', '1')
    .option('--set <path=value>', 'change one setting of the file; may be repeated', assignment, [])
    .option('--replications <n>', 'runs with different seeds, for confidence intervals', wholeNumber, 1)
    .option('--json', 'print JSON')
    .option('--html <file>', 'write a report that needs nothing else')
    .addHelpText(
      'after',
      '\nExample:\n  longcat-rt sim sim/scenarios/report-deployment.yaml --set load.sessions=64 --html report.html',
    )
    .action(simulate);
}

async function simulate(file: string, options: SimOptions): Promise<void> {
  const content = readScenario(file, options.set);
  const replications = Math.min(MAX_REPLICATIONS, Math.max(1, options.replications));
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {eta_formatted} left',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  bar.start(1000, 0);
  const onProgress = (share: number) => bar.update(Math.floor(share * 1000));
  try {
    const experiment = { seed: options.seed, replications, onProgress };
    const points = await runExperiment(content, experiment);
    const capacity = await searchCapacity(content, experiment);
    bar.stop();
    console.log(options.json ? jsonReport(points, capacity) : textReport(points, capacity));
    if (options.html) writeFileSync(options.html, htmlReport(points, capacity));
  } catch (error) {
    bar.stop();
    const changes = options.set.map(({ path, value }) => ` --set ${path}=${JSON.stringify(value)}`).join('');
    console.error(
      `again: longcat-rt sim ${file} --seed ${options.seed}${changes} --replications ${replications}`,
    );
    throw error;
  }
}
