// `npm run test:native-asan`: the kernels' tests against a build with address and undefined-behaviour checks, and the
// pool and the ranks under the thread sanitizer; made in a copy so that the ordinary build stays as it is.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { copySources, repository } from './source-copy.js';

const { threads: isThreadsOnly } = new Command('npm run test:native-asan --')
  .description("The kernels' tests with address, undefined-behaviour and thread checks.")
  .option('--threads', 'only the pool and the ranks, under the thread sanitizer: half a minute', false)
  .parse()
  .opts();

const copy = mkdtempSync(join(tmpdir(), 'longcat-asan-'));

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${status})`);
}

const compiler = process.env.CXX ?? 'g++';
const library = name => spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();

/** The thread sanitizer must be part of the program, so a driver of its own takes the place of Node. */
function testThreads(native) {
  const program = join(native, 'race-test');
  const flags = '-O1 -g -std=c++20 -pthread -fsanitize=thread -ffp-contract=off -Wno-psabi'.split(' ');
  const sources = ['race-test', 'pool', 'ranks', 'expert-exchange', 'multiply-on-pool', 'memory', 'level'];
  const files = sources.map(name => join(native, `${name}.cpp`));
  run(compiler, [...flags, '-DLEVEL=scalar', ...files, '-o', program]);
  const env = { ...process.env, TSAN_OPTIONS: 'halt_on_error=1' };
  const { status, stdout, stderr } = spawnSync(program, [], { env, encoding: 'utf8' });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  // Kernels that scatter memory more widely than the sanitizer knows: nothing was run.
  if (stderr.includes('unexpected memory mapping'))
    console.warn('NOT TESTED: races of the pool. Set vm.mmap_rnd_bits to 28, or run it under setarch -R.');
  else if (status !== 0) throw new Error(`the race test failed (${status})`);
}

function testAddon(native) {
  const gyp = join(repository, 'node_modules/node-gyp/bin/node-gyp.js');
  const sanitizers = ['--', '-Dsanitize=address,undefined', '-Doptimize=-O1'];
  const headers = `--nodedir=${dirname(dirname(process.execPath))}`;
  run(process.execPath, [gyp, 'configure', '-C', native, headers, ...sanitizers]);
  run(process.execPath, [gyp, 'build', '-C', native, '--jobs=max']);

  const tests = readdirSync(join(repository, 'test/kernels'))
    .filter(name => /^(native|native-parity|pool|expert-ranks)\.test\.ts$/.test(name))
    .map(name => join('test/kernels', name));
  run('npx', ['vitest', 'run', ...tests], {
    cwd: repository,
    env: {
      ...process.env,
      LONGCAT_RT_ADDON: join(native, 'build/Release/longcat_kernels.node'),
      LD_PRELOAD: `${library('libasan.so')}:${library('libubsan.so')}`,
      // Node keeps memory to its end on purpose; native-leaks.test.ts looks for what grows.
      ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
  });
}

try {
  copySources(copy);
  const native = join(copy, 'kernels/native');
  if (!isThreadsOnly) testAddon(native);
  testThreads(native);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
