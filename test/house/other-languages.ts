/**
 * `npm run format` and `npm run lint` for what Biome does not read: C++ and CUDA by clang-format (.clang-format),
 * Python by ruff (ruff.toml). Both are their makers' programs compiled to WebAssembly, so that no machine needs to have
 * either.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Diagnostic, PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs';
import { format } from '@wasm-fmt/clang-format';
import { Command } from 'commander';
import { parse } from 'smol-toml';

const options = new Command('npm run format --')
  .description('C++, CUDA and Python; ends with 1 where a file is not as its formatter would have it.')
  .option('--write', 'write what the formatters would have')
  .option('--lint', 'what ruff finds in Python instead')
  .addHelpText('after', '\nExample:\n  npx tsx test/house/other-languages.ts --write')
  .parse()
  .opts<{ write?: true; lint?: true }>();

const read = (path: string) => readFileSync(path, 'utf8');
const ruff = new Workspace(parse(read('ruff.toml')), PositionEncoding.Utf16);
const cppStyle = read('.clang-format');

function formatted(path: string): string {
  if (path.endsWith('.py')) return ruff.format(read(path));
  return format(read(path), path.replace(/\.cu$/, '.cpp'), cppStyle);
}

/** A string may be longer than a line. */
const isOfString = (diagnostic: Diagnostic, path: string) =>
  diagnostic.code === 'E501' && /["'`].{60}/.test(read(path).split('\n')[diagnostic.start_location.row - 1]);

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter(path => !path.includes('/vendor/') && /\.(cpp|h|cu|py)$/.test(path));

const found = options.lint ? lintFindings() : formatFindings();
for (const one of found) console.error(one);
process.exitCode = found.length > 0 ? 1 : 0;

function lintFindings(): string[] {
  return tracked
    .filter(path => path.endsWith('.py'))
    .flatMap(path =>
      (ruff.check(read(path)) as Diagnostic[])
        .filter(diagnostic => !isOfString(diagnostic, path))
        .map(({ code, message, start_location: { row } }) => `${path}:${row} ${code} ${message}`),
    );
}

function formatFindings(): string[] {
  const odd = tracked.filter(path => formatted(path) !== read(path));
  if (!options.write) return odd.map(path => `${path} is not as its formatter would have it (--write)`);
  for (const path of odd) writeFileSync(path, formatted(path));
  return [];
}
