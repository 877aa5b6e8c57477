import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = import.meta.dirname;
const MODULES = join(FOLDER, 'node_modules');
const INSTALL = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
const LONGEST_MS = 5 * 60_000;

/** Whether the clients can be run: null, or why not. */
export async function prepareClients(): Promise<string | null> {
  if (process.env.LONGCAT_RT_CLIENTS === 'off') return 'LONGCAT_RT_CLIENTS=off';
  if (isComplete()) return null;
  if (!isAskedFor()) return 'they are about 500 MB, which the other tests do not fetch unasked';
  console.warn(`Fetching the stock clients into ${FOLDER} (once, about 500 MB) …`);
  const failure = (await run('npm', INSTALL)) ?? (isComplete() ? null : 'npm ci left packages out');
  // A half of them is of no use, and the disk may be full.
  if (failure !== null) await rm(MODULES, { recursive: true, force: true }).catch(() => {});
  return failure;
}

/** Fetching takes minutes: only where a person asked for these tests. */
function isAskedFor(): boolean {
  return process.env.LONGCAT_RT_CLIENTS === 'on' || process.env.npm_lifecycle_event === 'test:clients';
}

/** npm writes its own lock file last, so an installation that was cut short has none. */
function isComplete(): boolean {
  try {
    const { packages } = read(join(MODULES, '.package-lock.json'));
    const { dependencies } = read(join(FOLDER, 'package.json'));
    return Object.entries<string>(dependencies).every(([name, pinned]) =>
      pinned.endsWith(packages[`node_modules/${name}`].version),
    );
  } catch {
    return false;
  }
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

function run(command: string, args: readonly string[]): Promise<string | null> {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: FOLDER,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
    });
    let told = '';
    child.stderr.on('data', (data: Buffer) => {
      told = (told + data.toString()).slice(-2000);
    });
    child.once('error', error => resolve(error.message));
    child.once('close', (code, signal) => {
      const ended = signal === null ? `npm ci: exit code ${code}` : 'npm ci took too long';
      const line = told.split('\n').find(text => text.startsWith('npm error')) ?? ended;
      resolve(code === 0 ? null : line);
    });
  });
}
