import { type ChildProcess, spawn } from 'node:child_process';
import type { Command } from './recorders.ts';

const MAX_COMPLAINT_BYTES = 4096;

/** A program that records or plays, and the last thing it complained of. */
export class ChildSound {
  readonly program: string;
  readonly process: ChildProcess;
  /** Resolves when the program has ended, also when it could not be started. */
  readonly ended: Promise<void>;
  #complaint = '';

  constructor({ program, path, options, environment }: Command) {
    this.program = program;
    // A group of its own: Ctrl-C is for us, who then end it in good order.
    this.process = spawn(path, options, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      detached: process.platform !== 'win32',
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-MAX_COMPLAINT_BYTES);
    });
    // It may end while we still write to it.
    this.process.stdin?.on('error', () => {});
    this.ended = new Promise(resolve => {
      this.process.once('close', () => resolve());
      this.process.once('error', error => {
        this.#complaint = error.message;
        resolve();
      });
    });
  }

  get complaint(): string {
    const lines = this.#complaint.trim().split('\n');
    return `${this.program}: ${lines.at(-1) || 'it ended without a word'}`;
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }
}
