/**
 * What the caller shows, a camera or a screen: key frames on demand are the report's frame sampling
 * (docs/spec/model.md §5), so a picture is asked for every half second while the user speaks and every two seconds
 * else. They are handed on as they come, and unpacked where the model looks at them. A camera and a screen are asked
 * in turn: the model is shown one picture at a time, and of two that come together it would be always
 * the same.
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { TurnState } from '../../actors/session-api.ts';
import type { PictureFile } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { MAX_PICTURE_SIDE } from '../../kernels/pictures/index.ts';
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
/** Dense pictures of one stream before the other: motion is seen in pairs (`actors/perceive/frame-sampler.ts`). */
const DENSE_RUN = 2;

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
  /** Session time at which a picture of this stream was taken. */
  readonly capturedAtMs: (ssrc: number, timestamp: number) => number;
  readonly onPicture: (image: PictureFile, capturedAtMs: number) => void;
  /** A picture that is too large, or that the session does not take. */
  readonly onFault: (error: unknown) => void;
}

export class Camera {
  readonly #options: CameraOptions;
  readonly #streams = new Map<number, Stream>();
  #state: TurnState = 'idle';
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  /** Whom it is the turn of, and how often still. */
  #asked: Stream | null = null;
  #asksLeft = 0;
  #stopped = false;

  constructor(options: CameraOptions) {
    this.#options = options;
  }

  packet(packet: RtpIn): void {
    if (this.#stopped) return;
    const stream = this.#stream(packet.ssrc);
    if (!stream) return;
    const isNew = stream.isNew;
    const keyFrame = stream.packet(packet, this.#options.clock.nowMs());
    if (isNew || !this.#timer) this.#ask(stream);
    if (keyFrame) this.#show(packet.ssrc, keyFrame);
  }

  /** Who has the floor decides how often is looked. */
  turn(state: TurnState): void {
    if (!this.#isDense && DENSE.has(state)) this.#asksLeft = 0;
    this.#state = state;
    if (this.#timer) this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#streams.clear();
  }

  get #isDense(): boolean {
    return DENSE.has(this.#state);
  }

  #stream(ssrc: number): Stream | undefined {
    const known = this.#streams.get(ssrc);
    if (known) return known;
    if (this.#streams.size >= MAX_STREAMS) {
      const dark = [...this.#streams.values()].find(stream => this.#isDark(stream));
      if (!dark) return undefined;
      this.#streams.delete(dark.ssrc);
    }
    const stream = new Stream(ssrc);
    this.#streams.set(ssrc, stream);
    return stream;
  }

  #isDark({ packetAtMs }: Stream): boolean {
    return this.#options.clock.nowMs() - packetAtMs > DARK_MS;
  }

  #due(): void {
    this.#timer = null;
    const lit = [...this.#streams.values()].filter(stream => !this.#isDark(stream));
    if (lit.length === 0) return;
    const goesOn = this.#asked !== null && this.#asksLeft > 0 && lit.includes(this.#asked);
    const longestAgo = lit.reduce((most, next) => (next.askedAtMs < most.askedAtMs ? next : most));
    this.#ask(goesOn ? this.#asked! : longestAgo);
  }

  #ask(stream: Stream): void {
    const nowMs = this.#options.clock.nowMs();
    const isFirst = stream !== this.#asked || this.#asksLeft === 0;
    this.#asksLeft = (isFirst ? (this.#isDense ? DENSE_RUN : 1) : this.#asksLeft) - 1;
    this.#asked = stream;
    this.#askedAtMs = nowMs;
    stream.askedAtMs = nowMs;
    this.#options.requestKeyFrame(stream.ssrc);
    this.#wait();
  }

  #wait(): void {
    this.#timer?.cancel();
    const { clock } = this.#options;
    const dueAtMs = this.#askedAtMs + Math.max(LEAST_MS, this.#isDense ? DENSE_MS : SPARSE_MS);
    this.#timer = clock.setTimer(Math.max(0, dueAtMs - clock.nowMs()), () => this.#due());
  }

  #show(ssrc: number, { picture, timestamp }: KeyFrame): void {
    const { capturedAtMs, onPicture, onFault } = this.#options;
    try {
      checkSize(picture);
      onPicture(picture, capturedAtMs(ssrc, timestamp));
    } catch (error) {
      onFault(error);
    }
  }
}

function checkSize({ width, height }: PictureFile): void {
  if (Math.max(width, height) <= MAX_PICTURE_SIDE) return;
  const values = { width, height, maxSide: MAX_PICTURE_SIDE };
  throw new RuntimeError('picture.unsupported', 'The picture is too large.', values, 'Send a smaller one.');
}

/** One track of pictures. */
class Stream {
  readonly ssrc: number;
  askedAtMs = Number.NEGATIVE_INFINITY;
  packetAtMs = Number.NEGATIVE_INFINITY;
  readonly #keyFrames = new KeyFrames();

  constructor(ssrc: number) {
    this.ssrc = ssrc;
  }

  /** Nothing has come of it yet. */
  get isNew(): boolean {
    return this.packetAtMs === Number.NEGATIVE_INFINITY;
  }

  packet(packet: RtpIn, nowMs: number): KeyFrame | null {
    this.packetAtMs = nowMs;
    return this.#keyFrames.push(packet);
  }
}
