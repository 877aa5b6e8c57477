// `npm run test:cuda-emulation`: all cases of the CUDA tests under the emulation, in several orders with the checks of
// memory-check.cpp, once under the address sanitizer, then a spoken conversation whose words must be the cpu engine's.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { buildEmulation } from './build.js';

new Command('npm run test:cuda-emulation')
  .description('All cases of the CUDA tests under the emulation.')
  .parse();

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const RUNTIME = spawnSync(process.env.CXX ?? 'g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' });

function vitest(what, env) {
  console.log(`\n${what}`);
  const args = ['node_modules/vitest/vitest.mjs', 'run', 'test/kernels/cuda', '--maxWorkers=1'];
  const { status } = spawnSync(process.execPath, args, {
    cwd: repository,
    env: { ...process.env, LONGCAT_RT_ALL_CASES: '1', ...env },
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

/** Everything that a conversation prints, by that engine. */
function talk(engine, env = {}) {
  const args = [
    'cli/longcat-rt.js',
    'talk',
    'test/fixtures/talk/two-turns.wav',
    '--json',
    '--engine',
    engine,
  ];
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: repository,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(1);
  return JSON.parse(stdout);
}

const library = await buildEmulation('checked');
for (const order of [1, 2, 3])
  vitest(`Order ${order}`, { LONGCAT_RT_CUDA: library, LONGCAT_RT_EMULATION_ORDER: String(order) });
vitest('Address sanitizer', {
  LONGCAT_RT_CUDA: await buildEmulation('address'),
  LD_PRELOAD: RUNTIME.stdout.trim(),
  // Node keeps memory to its end on purpose.
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
});

console.log('\nA conversation');
const emulated = talk('cuda', { LONGCAT_RT_CUDA: await buildEmulation('plain') });
const same = JSON.stringify(emulated) === JSON.stringify(talk('cpu'));
console.log(
  same ? 'The same to the last character as by the cpu engine.' : 'NOT the same as by the cpu engine.',
);
process.exitCode = same ? 0 : 1;
