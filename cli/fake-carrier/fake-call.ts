/**
 * One call of a fake carrier: it sends what the caller says, 20 ms at a time by the clock, holds what the server gives
 * for the caller's ear and plays it in real time, tells marks as its protocol has them, and keeps what was heard.
 */
import type { Clock, Timer } from '../../actors/core/clock.ts';
import { createRandom, type Random } from '../../actors/core/index.ts';
import { bytesOfMs, CODECS } from '../../protocols/media/index.ts';
import { type Faults, FaultyPath } from './faults.ts';
import { PlayQueue } from './play-queue.ts';
import type { CarrierSide, Frame } from './side.ts';

export const FRAME_MS = 20;

export interface FakeCallOptions {
  readonly side: CarrierSide;
  readonly clock: Clock;
  /** To the server. */
  readonly send: (frame: Frame) => void;
  /** The caller's next 20 ms in the carrier's format; null: silence. */
  readonly speech: () => Buffer | null;
  readonly faults?: Faults;
  readonly random?: Random;
  /** One way, in either direction. */
  readonly networkMs?: number;
  /** The carrier does not play for a while now and then: its ear stands still. */
  readonly isStalled?: () => boolean;
  /** For a log: what came, and what was wrong with it. */
  readonly onFrame?: (direction: 'in' | 'out', frame: Frame) => void;
  readonly onComplaint?: (text: string) => void;
}

export class FakeCall {
  readonly queue: PlayQueue;
  /** What the server did against the protocol. */
  readonly complaints: string[] = [];
  clears = 0;
  marks = 0;
  isHungUp = false;
  readonly #options: FakeCallOptions;
  readonly #path: FaultyPath<Frame>;
  readonly #tickBytes: number;
  readonly #silence: Buffer;
  readonly #startMs: number;
  #ticks = 0;
  #timer: Timer | null = null;
  /** When the last frame on its way arrives: a wire keeps the order. */
  #arrivesMs = { up: 0, down: 0 };

  constructor(options: FakeCallOptions) {
    const { side, clock, faults = {}, random = createRandom(1) } = options;
    this.#options = options;
    const { silenceByte } = CODECS[side.format.codec];
    this.#tickBytes = bytesOfMs(side.format, FRAME_MS);
    this.#silence = Buffer.alloc(this.#tickBytes, silenceByte);
    this.queue = new PlayQueue(side.format);
    this.#path = new FaultyPath(faults, random, cutFrame);
    this.#startMs = clock.nowMs();
    for (const frame of side.opening()) this.#up(frame);
    this.#arm();
  }

  /** A frame of the server's. */
  receive(frame: Frame): void {
    this.#options.onFrame?.('in', frame);
    this.#afterNetwork('down', () => this.#obey(frame));
  }

  press(digit: string): void {
    this.#up(this.#options.side.key(digit));
  }

  /** A frame that no carrier sends. */
  inject(frame: Frame): void {
    this.#up(frame);
  }

  hangUp(): void {
    if (this.isHungUp) return;
    const closing = this.#options.side.closing();
    if (closing !== null) this.#up(closing);
    this.stop();
  }

  /** The line is gone. */
  stop(): void {
    this.isHungUp = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    const dueMs = this.#startMs + (this.#ticks + 1) * FRAME_MS;
    this.#timer = this.#options.clock.setTimer(Math.max(0, dueMs - this.#options.clock.nowMs()), () =>
      this.#tick(),
    );
  }

  #tick(): void {
    this.#ticks += 1;
    const { clock, isStalled, side, speech } = this.#options;
    const { now, later } = this.#path.send(side.media(speech() ?? this.#silence));
    for (const frame of now) this.#up(frame);
    for (const { frame, afterMs } of later) clock.setTimer(afterMs, () => this.#up(frame));
    if (!isStalled?.()) for (const name of this.queue.tick(this.#tickBytes)) this.#tellMark(name);
    if (!this.isHungUp) this.#arm();
  }

  #obey(frame: Frame): void {
    const { side } = this.#options;
    try {
      const order = side.read(frame);
      if (order.type === 'play') this.queue.play(order.payload);
      else if (order.type === 'mark') {
        this.marks += 1;
        for (const name of this.queue.mark(order.name)) this.#tellMark(name);
      } else if (order.type === 'clear') {
        this.clears += 1;
        const marks = this.queue.clear();
        if (side.tellsClearedMarks) for (const name of marks) this.#tellMark(name);
        if (side.cleared) this.#up(side.cleared());
      } else if (order.type === 'hang-up') this.stop();
    } catch (error) {
      const { message } = error as Error;
      this.complaints.push(message);
      this.#options.onComplaint?.(message);
    }
  }

  #tellMark(name: string): void {
    this.#up(this.#options.side.marked(name));
  }

  #up(frame: Frame): void {
    if (this.isHungUp) return;
    this.#options.onFrame?.('out', frame);
    this.#afterNetwork('up', () => this.#options.send(frame));
  }

  #afterNetwork(way: 'up' | 'down', arrive: () => void): void {
    const { clock, networkMs = 0 } = this.#options;
    if (networkMs === 0) {
      arrive();
      return;
    }
    const atMs = Math.max(this.#arrivesMs[way], clock.nowMs() + networkMs);
    this.#arrivesMs[way] = atMs;
    clock.setTimer(atMs - clock.nowMs(), arrive);
  }
}

function cutFrame(frame: Frame): Frame {
  return frame.slice(0, Math.floor(frame.length / 2));
}
