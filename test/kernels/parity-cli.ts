/**
 * The parity harness by hand: `npm run parity -- [test | perf | support] [operation]`.
 *
 *   test     how much of its bound each operation uses, at every SIMD level here; fails where one is exceeded
 *   perf     microseconds per call beside the reference; all cases of one operation, or each operation's largest
 *   support  which operations have a kernel, and where
 */
import { Command } from 'commander';
import { compiledOps, nativeOps } from '../../kernels/native/native-ops.ts';
import type { Ops } from '../../kernels/ops.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { addonsOfAllLevels } from './native-levels.ts';
import { compareOnCase, GuardedMemory, type ParityCase } from './parity.ts';
import { parityCases } from './parity-cases.ts';
import { microsecondsPerCall } from './parity-timing.ts';

type Engine = readonly [name: string, ops: Ops];

const addons = addonsOfAllLevels();
const native: Engine[] = addons.map(addon => [addon.level as string, nativeOps(addon)]);

function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map(row => row[i].length)));
  for (const row of [header, ...rows]) {
    console.log(
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[i]))).join('  '),
    );
  }
}

function test(ops: readonly (keyof Ops)[]): void {
  const problems: string[] = [];
  const worstOf = (op: keyof Ops, [level, candidate]: Engine) => {
    let worst = 0;
    casesOf(op).forEach((parityCase, seed) => {
      const verdict = compareOnCase(parityCase, referenceOps, candidate, seed + 1);
      worst = Math.max(worst, verdict.worst);
      if (verdict.problem) problems.push(`${level} ${op}, ${parityCase.label}: ${verdict.problem}`);
    });
    return `${(100 * worst).toFixed(worst < 0.1 ? 1 : 0)} %`;
  };
  printTable(
    ['share of the bound', ...native.map(([level]) => level)],
    ops.map(op => [op, ...native.map(engine => worstOf(op, engine))]),
  );
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function perf(ops: readonly (keyof Ops)[], everyCase: boolean): void {
  const engines: Engine[] = [['reference', referenceOps], ...native];
  const row = (parityCase: ParityCase) => {
    const times = engines.map(([, engine]) => microsecondsPerCall(parityCase, engine));
    const [reference, best] = [times[0], times.at(-1)];
    const ratio = reference && best ? `${(reference / best).toFixed(1)}×` : '–';
    return [
      `${parityCase.op}: ${parityCase.label}`,
      ...times.map(time => (time === null ? '–' : time.toFixed(2))),
      ratio,
    ];
  };
  const cases = ops.flatMap(op => (everyCase ? casesOf(op) : [longestOf(op)]));
  printTable(['µs per call', ...engines.map(([name]) => name), 'reference ÷ last'], cases.map(row));
}

function support(ops: readonly (keyof Ops)[]): void {
  const compiled = addons.map(addon => new Set(Object.keys(compiledOps(addon))));
  printTable(
    ['operation', 'reference', ...native.map(([level]) => level)],
    ops.map(op => [op, 'TypeScript', ...compiled.map(kernels => (kernels.has(op) ? 'C++' : 'TypeScript'))]),
  );
  if (native.length === 0) console.log('The addon is not built here.');
}

/** The case that keeps the reference busy longest. */
function longestOf(op: keyof Ops): ParityCase {
  const timed = casesOf(op).map(parityCase => {
    const run = () => parityCase.run(referenceOps, new GuardedMemory(1, parityCase.filling));
    run(); // Until it is compiled, a small case can take longer than a large one.
    const began = performance.now();
    run();
    return { parityCase, ms: performance.now() - began };
  });
  return timed.reduce((longest, other) => (other.ms > longest.ms ? other : longest)).parityCase;
}

const casesOf = (op: keyof Ops) => parityCases.filter(parityCase => parityCase.op === op);

const [mode = 'test', wanted] = new Command('npm run parity --')
  .description('The native kernels beside the reference.')
  .argument('[mode]', 'test, perf or support')
  .argument('[operation]', 'only this one')
  .addHelpText('after', '\nExample:\n  npm run parity -- perf linear')
  .parse().args;
const all = Object.keys(referenceOps) as (keyof Ops)[];
const chosen = all.filter(op => wanted === undefined || op === wanted);
const tested = chosen.filter(op => casesOf(op).length > 0);
if (chosen.length === 0) {
  console.error(`No operation ${wanted}; there are ${all.join(', ')}.`);
  process.exitCode = 2;
} else if (mode === 'test') test(tested);
else if (mode === 'perf') perf(tested, wanted !== undefined);
else if (mode === 'support') support(chosen);
else {
  console.error(`No mode ${mode}; there are test, perf and support.`);
  process.exitCode = 2;
}
