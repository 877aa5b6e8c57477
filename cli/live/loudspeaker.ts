import { toPcm16 } from '../media/pcm16.ts';
import { findProgram } from '../programs.ts';
import { ChildSound } from './child-sound.ts';
import { type Command, installed, PLAYERS } from './recorders.ts';

/** More than this waiting for a program that does not take it is thrown away. */
const MAX_WAITING_BYTES = 4 << 20;

/** Sound for the ear, through a program of the machine that plays. It is started when there is something to say. */
export class Loudspeaker {
  readonly #commands: Command[];
  readonly #onSilent: (complaint: string | null) => void;
  #child: ChildSound | null = null;
  #isClosed = false;

  /** @param onSilent called once, when no program is left that plays; null: none was installed */
  constructor(sampleRate: number, onSilent: (complaint: string | null) => void, device?: string) {
    this.#commands = installed(PLAYERS, sampleRate, device, findProgram);
    this.#onSilent = onSilent;
    if (this.#commands.length === 0) onSilent(null);
  }

  /** Mono in [−1, 1], to be played when what was written before is over. */
  write(samples: Float32Array): void {
    const [command] = this.#commands;
    if (!command || this.#isClosed) return;
    this.#child ??= this.#start(command);
    const { stdin } = this.#child.process;
    if (!stdin || stdin.writableLength > MAX_WAITING_BYTES) return;
    stdin.write(toPcm16(samples));
  }

  /** Silence at once: what a program has already taken only ends with it. */
  clear(): void {
    this.#child?.kill();
    this.#child = null;
  }

  /** Lets the program play what it has. */
  close(): void {
    this.#isClosed = true;
    this.#child?.process.stdin?.end();
  }

  #start(command: Command): ChildSound {
    const child = new ChildSound(command);
    child.process.stdout?.resume();
    void child.ended.then(() => {
      if (this.#child !== child || this.#isClosed) return;
      // It ended by itself: it does not work here, so the next one is tried.
      this.#child = null;
      this.#commands.shift();
      if (this.#commands.length === 0) this.#onSilent(child.complaint);
    });
    return child;
  }
}
