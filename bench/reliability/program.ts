/** A program of the cluster that can be killed, stopped, and started again as it was. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

export class Program {
  readonly #command: readonly string[];
  readonly #ready: RegExp;
  readonly #logFile: string;
  #child: ChildProcess | null = null;

  /** @param ready what a line of its output looks like when it serves */
  constructor(command: readonly string[], ready: RegExp, logFile: string) {
    this.#command = command;
    this.#ready = ready;
    this.#logFile = logFile;
  }

  async start(): Promise<void> {
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const log = createWriteStream(this.#logFile, { flags: 'a' });
    const gone = once(child, 'exit').then(([code]) => {
      throw new Error(`${this.#command.slice(0, 3).join(' ')} ended with ${code}; see ${this.#logFile}`);
    });
    gone.catch(() => {});
    const serves = new Promise<void>(resolve => {
      for (const output of [child.stdout, child.stderr]) {
        output.pipe(log, { end: false });
        createInterface(output).on('line', line => this.#ready.test(line) && resolve());
      }
    });
    await Promise.race([serves, gone]);
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
