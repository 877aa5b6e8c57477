/**
 * What the caller shows, a camera or a screen: key frames on demand are the report's frame sampling
 * (docs/spec/model.md §5), so a picture is asked for every half second while the user speaks and every two seconds
 * else, and nothing between is decoded. Of pictures that wait to be decoded only the newest survives.
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { TurnState } from '../../actors/session-api.ts';
import type { RgbImage } from '../../kernels/engine/index.ts';
import type { Timers } from '../guard/index.ts';
import type { RtpIn } from './peer.ts';
import { type KeyFrame, KeyFrames } from './vp8.ts';

const DENSE_MS = 500;
const SPARSE_MS = 2000;
/** Requests that are closer are not all answered (docs/spec/webrtc.md §3). */
const LEAST_MS = 300;
/** A sender from which so long nothing came shows nothing now. */
const DARK_MS = 1500;
/** A camera and a screen. */
const MAX_STREAMS = 2;

const DENSE: ReadonlySet<TurnState> = new Set([
  'userSpeaking',
  'maybeDone',
  'speculating',
  'ducked',
  'interrupted',
]);

export interface CameraOptions {
  readonly clock: Timers;
  readonly requestKeyFrame: (ssrc: number) => void;
  readonly decode: (webp: Buffer) => Promise<RgbImage>;
  /** Session time at which a picture of this stream was taken. */
  readonly capturedAtMs: (ssrc: number, timestamp: number) => number;
  readonly onPicture: (image: RgbImage, capturedAtMs: number) => void;
  /** A picture that cannot be decoded, or that the session does not take. */
  readonly onFault: (error: unknown) => void;
}

interface Shown {
  readonly webp: Buffer;
  readonly capturedAtMs: number;
}

export class Camera {
  readonly #options: CameraOptions;
  readonly #streams = new Map<number, Stream>();
  #state: TurnState = 'idle';
  #next: Shown | null = null;
  #busy = false;
  #stopped = false;

  constructor(options: CameraOptions) {
    this.#options = options;
  }

  packet(packet: RtpIn): void {
    if (this.#stopped) return;
    const keyFrame = this.#stream(packet.ssrc)?.packet(packet);
    if (keyFrame) this.#show(packet.ssrc, keyFrame);
  }

  /** Who has the floor decides how often is looked. */
  turn(state: TurnState): void {
    this.#state = state;
    if (this.#stopped) return;
    for (const stream of this.#streams.values()) stream.hurry();
  }

  stop(): void {
    this.#stopped = true;
    this.#next = null;
    for (const stream of this.#streams.values()) stream.stop();
    this.#streams.clear();
  }

  #stream(ssrc: number): Stream | undefined {
    const known = this.#streams.get(ssrc);
    if (known) return known;
    if (this.#streams.size >= MAX_STREAMS) {
      const dark = [...this.#streams].find(([, stream]) => stream.isDark);
      if (!dark) return undefined;
      dark[1].stop();
      this.#streams.delete(dark[0]);
    }
    const { clock, requestKeyFrame } = this.#options;
    const everyMs = () => (DENSE.has(this.#state) ? DENSE_MS : SPARSE_MS);
    const stream = new Stream(clock, () => requestKeyFrame(ssrc), everyMs);
    this.#streams.set(ssrc, stream);
    return stream;
  }

  #show(ssrc: number, { webp, timestamp }: KeyFrame): void {
    this.#next = { webp, capturedAtMs: this.#options.capturedAtMs(ssrc, timestamp) };
    if (!this.#busy) void this.#decode();
  }

  async #decode(): Promise<void> {
    this.#busy = true;
    for (let shown = this.#next; shown !== null; shown = this.#next) {
      this.#next = null;
      try {
        const image = await this.#options.decode(shown.webp);
        if (!this.#stopped) this.#options.onPicture(image, shown.capturedAtMs);
      } catch (error) {
        if (!this.#stopped) this.#options.onFault(error);
      }
    }
    this.#busy = false;
  }
}

/** One track of pictures and the rhythm in which they are asked for. */
class Stream {
  readonly #clock: Timers;
  readonly #ask: () => void;
  readonly #everyMs: () => number;
  readonly #keyFrames = new KeyFrames();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #packetAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;

  constructor(clock: Timers, ask: () => void, everyMs: () => number) {
    this.#clock = clock;
    this.#ask = ask;
    this.#everyMs = everyMs;
  }

  get isDark(): boolean {
    return this.#clock.nowMs() - this.#packetAtMs > DARK_MS;
  }

  packet(packet: RtpIn): KeyFrame | null {
    this.#packetAtMs = this.#clock.nowMs();
    if (!this.#timer) this.#due();
    return this.#keyFrames.push(packet);
  }

  /** The rhythm may have changed. */
  hurry(): void {
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #due(): void {
    this.#timer = null;
    if (this.isDark) return;
    this.#askedAtMs = this.#clock.nowMs();
    this.#ask();
    this.#wait();
  }

  #wait(): void {
    const nowMs = this.#clock.nowMs();
    const dueAtMs = this.#askedAtMs + Math.max(LEAST_MS, this.#everyMs());
    this.#timer = this.#clock.setTimer(Math.max(0, dueAtMs - nowMs), () => this.#due());
  }
}
