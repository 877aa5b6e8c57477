// `npm run test:cuda`: the tests of test/kernels/cuda on a device instead of the emulation, then compute-sanitizer over
// the same where it is installed. Builds the library first. Where there is nothing to test on it says so and exits with
// 2.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { buildDevice, DEVICE_LIBRARY } from './build.js';
import { findNvcc } from './nvcc.js';

new Command('npm run test:cuda').description('The CUDA tests on a device.').parse();

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const COMPONENTS = ['language-model', 'audio-encoder', 'vision-encoder', 'gan-decoder', 'speech-tokenizer'];
const TESTS = ['cuda-parity', ...COMPONENTS.map(name => `device-${name}`)].map(
  name => `test/kernels/cuda/${name}.test.ts`,
);
const env = { ...process.env, LONGCAT_RT_CUDA: DEVICE_LIBRARY, LONGCAT_RT_ALL_CASES: '1' };

/** Why there is nothing to test on, or null. */
function missing() {
  try {
    const { name, capability } = createRequire(import.meta.url)(DEVICE_LIBRARY).device();
    console.log(`Testing on ${name}, sm_${capability}.`);
    return null;
  } catch (error) {
    return error.message;
  }
}

function test(wrapper = []) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...TESTS, '--maxWorkers=1'];
  const [program, ...args] = [...wrapper, process.execPath, ...vitest];
  return spawnSync(program, args, { cwd: repository, env, stdio: 'inherit' }).status === 0;
}

const nvcc = findNvcc();
if (nvcc === null) {
  console.error('Not tested on a device: nvcc not found (NVCC names one).');
  process.exit(2);
}
await buildDevice(nvcc);
const reason = missing();
if (reason !== null) {
  console.error(`Not tested on a device: ${reason}.`);
  process.exit(2);
}
const sanitizer = spawnSync('compute-sanitizer', ['--version'], { stdio: 'ignore' }).status === 0;
if (!sanitizer)
  console.warn('compute-sanitizer is not installed: races are looked for by the emulation only.');
const passed =
  test() &&
  (!sanitizer ||
    ['memcheck', 'racecheck'].every(tool =>
      test(['compute-sanitizer', `--tool=${tool}`, '--target-processes=all', '--error-exitcode=1']),
    ));
process.exitCode = passed ? 0 : 1;
