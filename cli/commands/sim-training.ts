import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import {
  memoryTables,
  parallelGrid,
  parseTraining,
  runTraining,
  type TrainingResult,
  type TrainingScenario,
} from '../../sim/training/index.ts';
import { checkOutput } from '../media/output.ts';
import { progressBar } from '../sim/progress-bar.ts';
import { type Assignment, assignment, readScenario } from '../sim/scenario-file.ts';
import { trainingHtml, trainingTrace } from '../sim/training-charts.ts';
import { gridText, memoryTable, trainingPage } from '../sim/training-page.ts';
import { measuredRuns } from '../sim/training-runs.ts';
import { trainingText } from '../sim/training-text.ts';

const PAGE = `${PACKAGE_ROOT}docs/training-parallelism.md`;
const MOST_FILES = 16;

interface TrainingOptions {
  readonly seed: string;
  readonly set: readonly Assignment[];
  readonly tables?: boolean;
  readonly json?: boolean;
  readonly html?: string;
  readonly perfetto?: string;
  readonly write?: boolean;
}

/** `longcat-rt sim training FILE…`: a training step of the report's machines under the virtual clock. */
export function simTrainingCommand(): Command {
  return new Command('training')
    .description('Simulate training steps under modality-decoupled parallelism: throughput, bubbles, memory.')
    .argument('<files...>', 'training scenarios, YAML or JSON: sim/scenarios/training-*.yaml')
    .option('--seed <n>', 'seed of every random stream', '1')
    .option('--set <path=value>', 'change one setting of the files; may be repeated', assignment, [])
    .option('--tables', 'print the report’s memory tables and Figure 10’s grid beside ours')
    .option('--json', 'print JSON')
    .option('--html <file>', 'write a page with a Gantt chart of the stages')
    .option('--perfetto <file>', 'write the same as a trace for ui.perfetto.dev')
    .option('--write', 'write docs/training-parallelism.md')
    .addHelpText(
      'after',
      '\nExample:\n  longcat-rt sim training sim/scenarios/training-decoupled.yaml --html step.html',
    )
    .action(train);
}

function train(files: string[], options: TrainingOptions): void {
  const { seed, set, tables, json, html, perfetto, write } = options;
  for (const path of [html, perfetto]) if (path) checkOutput(path, files);
  const scenarios = files.slice(0, MOST_FILES).map(file => parseTraining(readScenario(file, set)));
  const bar = progressBar();
  let results: TrainingResult[];
  try {
    results = scenarios.map((scenario, i) =>
      runTraining(scenario, seed, share => bar.update((i + share) / scenarios.length)),
    );
  } finally {
    bar.stop();
  }
  const compared = tables || write ? comparedWith(scenarios, seed) : null;
  if (json) console.log(JSON.stringify({ results: results.map(withoutSpans), ...compared }, null, 2));
  else {
    console.log(trainingText(results));
    if (compared)
      console.log(
        `\n${[memoryTable(compared.table3), memoryTable(compared.table4), gridText(compared.grid)].join('\n\n')}`,
      );
  }
  if (html) writeFileSync(html, trainingHtml(results));
  if (perfetto) writeFileSync(perfetto, trainingTrace(results));
  if (write) writeFileSync(PAGE, trainingPage({ ...compared!, results, runs: measuredRuns() }));
}

/** The report's tables are of its own layout: the first scenario that has its schedule. */
function comparedWith(scenarios: readonly TrainingScenario[], seed: string) {
  const base = scenarios.find(({ schedule }) => schedule === 'v-half') ?? scenarios[0];
  return { ...memoryTables(base), grid: parallelGrid(base, seed) };
}

/** A chart's thousands of bars are for --html and --perfetto. */
function withoutSpans({ example, ...result }: TrainingResult) {
  const { spans, ...rest } = example;
  return { ...result, example: { ...rest, spans: spans.length } };
}
