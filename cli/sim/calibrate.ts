import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { silentLogger } from '../../actors/core/index.ts';
import { type Calibration, calibrate } from '../../sim/calibrate/calibrate.ts';
import { loadConfig } from '../config/load.ts';
import { openEngine } from '../house.ts';
import { checkOutput } from '../media/output.ts';
import { resolveModelDirectory } from '../model-directory.ts';
import { addConfigOptions, wholeNumber } from '../options.ts';

interface CalibrateCommandOptions extends Record<string, unknown> {
  readonly out: string;
  readonly repetitions: number;
  readonly json?: boolean;
  readonly config?: string;
}

const TOGETHER_MS = 5000;
const MOST_REPETITIONS = 10_000;

/** `longcat-rt sim calibrate`: what the live engine costs on this machine, as a profile that scenarios can name. */
export function calibrateCommand(): Command {
  const command = new Command('calibrate')
    .description('Measure the steps of the live engine on this machine and write a profile for scenarios.')
    .option('--out <file>', 'the profile', 'profile.yaml')
    .option('--repetitions <n>', 'timed steps of each kind', wholeNumber, 40)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe profile serves as engine of a scenario (engine: profile.yaml) and of a replay (--set costs=profile.yaml).' +
        '\n\nExample:\n  longcat-rt sim calibrate --out profile.yaml',
    );
  return addConfigOptions(command, ['model', 'engine', 'seed', 'threads', 'ranks']).action(measure);
}

async function measure(options: CalibrateCommandOptions): Promise<void> {
  checkOutput(options.out, [options.config]);
  const config = loadConfig(options, process.env, options.config);
  const { path } = resolveModelDirectory(config.model, config.seed);
  const repetitions = Math.min(MOST_REPETITIONS, Math.max(1, options.repetitions));
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {eta_formatted} left',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  const engine = await openEngine(config, path, silentLogger);
  try {
    bar.start(1000, 0);
    const onProgress = (share: number) => bar.update(Math.floor(share * 1000));
    const calibration = await calibrate(engine, { repetitions, togetherMs: TOGETHER_MS, onProgress });
    bar.stop();
    writeFileSync(options.out, profileText(calibration, `${engine.model.name}, ${engine.kind} engine`));
    console.log(options.json ? JSON.stringify(calibration, null, 2) : calibrationText(calibration));
    if (!options.json) console.log(`\nwritten to ${options.out}`);
  } finally {
    bar.stop();
    await engine.close();
  }
}

/** The `engine` part of a scenario. */
export function calibrationProfile({ costs, parallelism, timerLateMs }: Calibration): object {
  const profile = { law: 'linear', servers: Math.max(1, Math.round(parallelism)), ...costs, timerLateMs };
  const rounded = (_key: unknown, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value;
  return JSON.parse(JSON.stringify(profile, rounded));
}

/** The measurements are comments. */
function profileText(calibration: Calibration, what: string): string {
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads`;
  const notes = [`Measured by longcat-rt sim calibrate: ${what}, on ${machine}.`, '']
    .concat(calibrationText(calibration).split('\n'))
    .map(line => `# ${line}`.trimEnd());
  return `${notes.join('\n')}\n${stringify(calibrationProfile(calibration))}`;
}

function calibrationText({ kinds, quality, parallelism, timerLateMs }: Calibration): string {
  const ms = (value: number) => value.toFixed(2).padStart(8);
  const median = timerLateMs[Math.floor(timerLateMs.length / 2)] ?? Number.NaN;
  return [
    `${'step'.padEnd(52)}  median ms       5 %      95 %     n`,
    ...kinds.map(
      ({ component, label, n, medianMs, p5Ms, p95Ms }) =>
        `${`${component}: ${label}`.padEnd(52)} ${ms(medianMs)}  ${ms(p5Ms)}  ${ms(p95Ms)}  ${String(n).padStart(4)}`,
    ),
    '',
    ...quality.map(
      ({ component, steps, medianErrorMs }) =>
        `${component}: the fitted line is ${medianErrorMs.toFixed(2)} ms off (median over ${steps} steps)`,
    ),
    `together the components do ${parallelism.toFixed(2)} ms of such work in a millisecond; timers are then ${median.toFixed(2)} ms late (median)`,
  ].join('\n');
}
