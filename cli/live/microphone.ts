import type { Readable } from 'node:stream';
import type { Clock } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { fromPcm16 } from '../media/pcm16.ts';
import { findProgram, installHint } from '../programs.ts';
import { ChildSound } from './child-sound.ts';
import { type Command, installed, namesOf, RECORDERS } from './recorders.ts';

/** A program that says nothing for so long does not work here. */
const FIRST_SOUND_MS = 4000;
/** No more sound than this is taken ahead of time: a file in the place of a microphone is played, not swallowed. */
const MAX_AHEAD_MS = 500;

export interface MicrophoneOptions {
  readonly clock: Clock;
  readonly sampleRate: number;
  /** As the recording program names it; `-`: raw 16-bit little-endian mono from standard input. */
  readonly device?: string;
  readonly input: Readable;
}

/** Sound as it is spoken, through a program of the machine that records. */
export class Microphone {
  /** What records, for people to see. */
  readonly name: string;
  readonly #clock: Clock;
  readonly #sampleRate: number;
  readonly #stream: Readable;
  readonly #child: ChildSound | null;
  #odd: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #isClosed = false;

  /**
   * The first program that gives sound.
   * @throws RuntimeError `microphone.none`
   */
  static async open(options: MicrophoneOptions): Promise<Microphone> {
    const { device, sampleRate, clock, input } = options;
    if (device === '-') return new Microphone(options, input, null);
    const commands = installed(RECORDERS, sampleRate, device, findProgram);
    const complaints: string[] = [];
    for (const command of commands) {
      const child = new ChildSound(command);
      if (await givesSound(child, clock)) return new Microphone(options, child.process.stdout!, child);
      child.kill();
      complaints.push(child.complaint);
    }
    throw noMicrophone(commands, complaints, device);
  }

  private constructor({ clock, sampleRate }: MicrophoneOptions, stream: Readable, child: ChildSound | null) {
    this.name = child?.program ?? 'standard input';
    this.#clock = clock;
    this.#sampleRate = sampleRate;
    this.#stream = stream;
    this.#child = child;
  }

  /** No more sound will come: the program ended, or standard input did. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Why, where it was not `close`; null where there is nothing to say. */
  get complaint(): string | null {
    return this.#child && this.#hasEnded && !this.#isClosed ? this.#child.complaint : null;
  }

  /** Every sample from now on, mono in [−1, 1]. */
  listen(onSamples: (samples: Float32Array) => void): void {
    const startedAtMs = this.#clock.nowMs();
    let samplesTaken = 0;
    this.#stream.on('data', (bytes: Buffer) => {
      const samples = this.#decode(bytes);
      samplesTaken += samples.length;
      onSamples(samples);
      const aheadMs = (samplesTaken * 1000) / this.#sampleRate - (this.#clock.nowMs() - startedAtMs);
      if (aheadMs <= MAX_AHEAD_MS) return;
      this.#stream.pause();
      this.#clock.setTimer(aheadMs - MAX_AHEAD_MS / 2, () => this.#isClosed || this.#stream.resume());
    });
    const onEnd = () => {
      this.#hasEnded = true;
    };
    this.#stream.once('end', onEnd).once('close', onEnd).once('error', onEnd);
    void this.#child?.ended.then(onEnd);
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.removeAllListeners('data');
    this.#stream.pause();
    if (this.#child) this.#child.kill();
    else this.#stream.destroy();
  }

  /** A sample may come in two pieces. */
  #decode(bytes: Buffer): Float32Array {
    const whole = this.#odd.length > 0 ? Buffer.concat([this.#odd, bytes]) : bytes;
    const count = whole.length >> 1;
    this.#odd = Buffer.from(whole.subarray(2 * count));
    return fromPcm16(whole.subarray(0, 2 * count));
  }
}

/** Waits for the first byte, which stays unread. */
function givesSound(child: ChildSound, clock: Clock): Promise<boolean> {
  return new Promise(resolve => {
    const timer = clock.setTimer(FIRST_SOUND_MS, () => resolve(false));
    const stdout = child.process.stdout!;
    stdout.once('readable', () => {
      timer.cancel();
      // At the end of a stream `readable` comes too, with nothing to read.
      if (stdout.readableLength > 0) resolve(true);
      else void child.ended.then(() => resolve(false));
    });
    void child.ended.then(() => {
      timer.cancel();
      resolve(false);
    });
  });
}

function noMicrophone(
  tried: readonly Command[],
  complaints: readonly string[],
  device: string | undefined,
): RuntimeError {
  const raw = 'Or pipe raw 16-bit mono of 16 kHz into --microphone -.';
  if (tried.length === 0) {
    const hint = installHint(process.platform === 'linux' ? 'alsa-utils' : 'sox');
    const remedy = `Install one of ${namesOf(RECORDERS)}, for example: ${hint}. ${raw}`;
    return new RuntimeError('microphone.none', 'There is no program that records.', {}, remedy);
  }
  const values = { device: device ?? 'default', tried: complaints.join('; ') };
  const remedy = `Check that a microphone is connected and allowed, or name it: --microphone DEVICE. ${raw}`;
  return new RuntimeError('microphone.none', 'No microphone gives sound.', values, remedy);
}
