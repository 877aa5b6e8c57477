import { Command } from 'commander';
import { type ComparedFigure, type ComparedScenarios, compareScenarios } from '../../sim/compare.ts';
import { checkNoneFailed } from '../../sim/failures.ts';
import type { Estimate } from '../../sim/statistics/estimates.ts';
import { progressBar } from './progress-bar.ts';
import { replicationCount } from './replication-count.ts';
import { type Assignment, assignment, readScenario } from './scenario-file.ts';

interface CompareOptions {
  readonly seed: string;
  readonly set: readonly Assignment[];
  readonly setB: readonly Assignment[];
  readonly replications: number;
  readonly json?: boolean;
}

/** `longcat-rt sim compare A B`: what changed between two scenarios, with the same random numbers on both sides. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('Run two scenarios with the same random numbers and print the paired differences.')
    .argument('<a>', 'scenario')
    .argument('[b]', 'scenario; a with --set-b where it is left out')
    .option('--seed <n>', 'seed of every random stream', '1')
    .option('--set <path=value>', 'change one setting of both; may be repeated', assignment, [])
    .option('--set-b <path=value>', 'change one setting of the second alone; may be repeated', assignment, [])
    .option('--replications <n>', 'pairs of runs', replicationCount, 10)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  longcat-rt sim compare sim/scenarios/mobile.yaml --set network=4g-edge --set-b transport.kind=websocket',
    )
    .action(compare);
}

async function compare(a: string, b: string | undefined, options: CompareOptions): Promise<void> {
  const before = withoutSweep(readScenario(a, options.set));
  const after = withoutSweep(readScenario(b ?? a, [...options.set, ...options.setB]));
  const bar = progressBar();
  const { replications, seed } = options;
  const onProgress = (share: number) => bar.update(share);
  const compared = await compareScenarios(before, after, { seed, replications, onProgress }).finally(() =>
    bar.stop(),
  );
  console.log(options.json ? JSON.stringify(compared, null, 2) : compareText(compared, options.setB));
  checkNoneFailed(compared.failed);
}

/** A sweep is several scenarios; here each side is one. */
function withoutSweep(content: unknown): unknown {
  const { sweep: _, capacity: __, ...rest } = content as Record<string, unknown>;
  return rest;
}

function compareText(compared: ComparedScenarios, changes: readonly Assignment[]): string {
  const { after, before, figures, replications, seed } = compared;
  const changed = changes.map(({ path, value }) => `${path}=${JSON.stringify(value)}`).join(', ');
  return [
    `A ${before}`,
    `B ${after}${changed && ` with ${changed}`}`,
    `${replications} pairs of runs with the same random numbers, from seed ${seed}; [95 % interval]`,
    '',
    `${''.padEnd(26)}${'A'.padStart(11)}${'B'.padStart(11)}   B − A`,
    ...figures.map(figureText),
  ].join('\n');
}

function figureText({ after, before, difference, figure, pairingGain, unit }: ComparedFigure): string {
  const digits = unit === '$' ? 4 : unit === '' ? 2 : 1;
  const number = ({ value }: Estimate) => value.toFixed(digits).padStart(11);
  const bounds = difference.interval
    ? `[${difference.interval.map(bound => signed(bound, digits)).join(', ')}]`
    : '[n too small]';
  const gain =
    pairingGain !== null && pairingGain > 1.5
      ? `  (unpaired it would take ${pairingGain.toFixed(0)} × as many runs)`
      : '';
  return `${figure.padEnd(26)}${number(before)}${number(after)}   ${signed(difference.value, digits)} ${unit} ${bounds}, n ${difference.n}${gain}`;
}

function signed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
}
