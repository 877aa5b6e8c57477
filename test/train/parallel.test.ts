/**
 * Modality-decoupled parallelism, really run: the short form of train/parallel/check.py, which needs PyTorch with gloo.
 * Four processes; exits with 1 and says what does not hold.
 */
import { spawn, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { pythonWith } from '../support/python.ts';

const python = pythonWith('torch', 'numpy');
if (!python)
  console.warn(`
  ╭──────────────────────────────────────────────────────────────────────────────╮
  │ No Python with PyTorch: train/parallel is NOT tested. Install python3-torch. │
  ╰──────────────────────────────────────────────────────────────────────────────╯
`);

describe.skipIf(!python)('modality-decoupled parallelism on four processes', () => {
  let output = '';
  let status: number | null = null;
  beforeAll(async () => {
    const child = spawn(python!, ['train/parallel/check.py', '--short'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', data => {
        output += data;
      });
    status = await new Promise(resolve => child.on('close', resolve));
  }, 240_000);

  it('holds in every line of the check', () => {
    expect(output.split('\n').filter(line => /WRONG|DIFFERS|Error/.test(line))).toEqual([]);
    expect(status, output).toBe(0);
  });

  it.each([
    ['places every piece of Figure 9', 'every piece and its place'],
    ['moves embeddings without changing a bit', 'in the original order'],
    ['needs an eighth of the passing memory with eight chunks', '8 chunks: 1/8 of the passing memory'],
    ['gives the same bits whatever the number of chunks', 'chunks 1 / 3: CP 2 × PP 2 / CP 2 × PP 2: equal'],
    ['gives the same bits again', 'run / run: CP 2 × PP 2 / CP 2 × PP 2: equal'],
    ['gives the bits of plain encoders', 'decoupled / plain: CP 2 × PP 2 / CP 2 × PP 2: equal'],
    ['sums gradients in one order for every size', 'sums by micro-batch and item: 1 × 1 × 1 / DP 2: equal'],
    ['spreads experts without changing a bit', 'experts everywhere / spread: DP 2 / DP 2 × EP 2: equal'],
    ["is train/'s own step", 'golden reference'],
    [
      'goes on from a checkpoint after a rank was killed',
      'losses after the restart are those of the undisturbed',
    ],
    ['refuses a layout that does not divide', 'PP 3 does not divide 4 layers'],
    ['refuses a layout that needs more ranks', 'takes 8 ranks (DP × CP × PP), there are 4'],
  ])('%s', (_, line) => {
    expect(output.split('\n').filter(each => each.startsWith('  ok ') && each.includes(line))).toHaveLength(
      1,
    );
  });
});

/**
 * Ends a program of train/parallel by a signal once its ranks are there. -> its status, and the ranks that were alive
 * when it had ended.
 */
async function interrupted(args: readonly string[], signal: NodeJS.Signals) {
  const child = spawn(python!, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const [ended, closed] = ['exit', 'close'].map(
    event => new Promise<number | null>(resolve => child.on(event, resolve)),
  );
  await Promise.race([new Promise(resolve => child.stdout.once('data', resolve)), ended]);
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const processes = stdout.split('\n').map(line => line.trim().split(/ +/).map(Number));
  const ranks = processes.filter(([, parent]) => parent === child.pid).map(([pid]) => pid);
  // As a terminal does it, Ctrl-C goes to all of the program's processes.
  process.kill(signal === 'SIGINT' ? -child.pid! : child.pid!, signal);
  const status = await ended;
  const left = ranks.filter(isAlive);
  await closed; // a rank that is left holds its output open
  return { status, ranks: ranks.length, left };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(!python)('a program of train/parallel that is ended', () => {
  const part = join(tmpdir(), `measured-${process.pid}.part`);
  it.concurrent.each([
    ['check.py', 'SIGINT', ['--short'], 130],
    ['measure.py', 'SIGTERM', ['--part', part], 143],
  ] as const)('leaves no rank: %s by %s', async (name, signal, args, status) => {
    const seen = await interrupted([`train/parallel/${name}`, ...args], signal);
    expect(seen).toEqual({ status, ranks: 4, left: [] });
  });

  it.concurrent('leaves no rank where it is killed: each sees it by itself', async () => {
    const busy = `
import sys; sys.path.insert(0, 'train')
from parallel import jobs, pool
ranks = pool.Pool(4); print(4, flush=True); ranks.run(jobs.spun, seconds=150)`;
    expect(await interrupted(['-c', busy], 'SIGKILL')).toMatchObject({ status: null, ranks: 4 });
  });
});

describe.skipIf(!python)('measure.py', () => {
  it.concurrent.each([
    [[], 'nothing to do'],
    [['--sum', 'x.json', 'nowhere.part'], 'no such part: nowhere.part'],
  ] as const)('refuses %j with the reason', async (args, reason) => {
    const child = spawn(python!, ['train/parallel/measure.py', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', data => {
      said += data;
    });
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(2);
    expect(said).toContain(reason);
  });
});
