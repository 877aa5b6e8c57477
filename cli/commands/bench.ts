import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import type { Command } from 'commander';
import { RuntimeError } from '../../kernels/errors.ts';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';

const BENCHMARKS = `${PACKAGE_ROOT}bench/`;

function names(): string[] {
  const files = existsSync(BENCHMARKS) ? readdirSync(BENCHMARKS) : [];
  return files.filter(file => file.endsWith('.ts')).map(file => file.slice(0, -3));
}

/**
 * `longcat-rt bench NAME`: each benchmark is a program of its own in bench/, so that nothing warms it up or slows it
 * down.
 */
export function benchCommand(command: Command): Command {
  return command
    .argument('[name]', `one of: ${names().join(', ')}`)
    .argument('[arguments...]', "the benchmark's own; NAME --help tells them")
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('after', '\nExample:\n  longcat-rt bench event-kernel')
    .action(async (name: string | undefined, options: string[]) => {
      if (name === undefined) return console.log(names().join('\n'));
      if (!names().includes(name))
        throw new RuntimeError(
          'cli.bench',
          'No such benchmark.',
          { name },
          `There are: ${names().join(', ')}.`,
        );
      process.exitCode = await run(`${BENCHMARKS}${name}.ts`, options);
    });
}

function run(file: string, options: string[]): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...options], { stdio: 'inherit' });
  return new Promise(resolve => child.once('exit', code => resolve(code ?? 1)));
}
