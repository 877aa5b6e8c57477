import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = import.meta.dirname;
const INSTALL = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
const LONGEST_MS = 5 * 60_000;

/** The pinned packages are there, or are fetched now. Returns why not, where they cannot be had. */
export async function prepareClients(): Promise<string | null> {
  if (process.env.LONGCAT_RT_CLIENTS === 'off') return 'LONGCAT_RT_CLIENTS=off';
  if (isComplete()) return null;
  console.warn(`Fetching the stock clients into ${FOLDER} (once, about 500 MB) …`);
  const failure = await run('npm', INSTALL);
  return failure ?? (isComplete() ? null : 'npm ci left packages out');
}

function isComplete(): boolean {
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8'));
  return Object.entries<string>(dependencies).every(([name, pinned]) => {
    const file = join(FOLDER, 'node_modules', name, 'package.json');
    return existsSync(file) && pinned.endsWith(JSON.parse(readFileSync(file, 'utf8')).version);
  });
}

function run(command: string, args: readonly string[]): Promise<string | null> {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd: FOLDER,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LONGEST_MS,
    });
    let told = '';
    child.stderr.on('data', (data: Buffer) => {
      told = (told + data.toString()).slice(-2000);
    });
    child.once('error', error => resolve(error.message));
    child.once('close', code => {
      const line = told.split('\n').find(text => text.startsWith('npm error')) ?? `exit code ${code}`;
      resolve(code === 0 ? null : line);
    });
  });
}
