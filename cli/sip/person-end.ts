/** A person at our end of a SIP call: says recordings in turn, presses keys, and keeps what is heard. */
import type { Timer } from '../../actors/core/clock.ts';
import {
  bytesOfMs,
  CODECS,
  type Heard,
  isSameFormat,
  JitterBuffer,
  keyTones,
  type LineDecoder,
  type LineEncoder,
  type LineFormat,
  lineDecoder,
  lineEncoder,
  type MediaFormat,
  packetMs,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
} from '../../protocols/media/index.ts';
import type { Timers } from '../../protocols/guard/index.ts';
import type { CallEnd, CallMedia } from '../../protocols/sip/index.ts';
import { FRAME_MS } from '../fake-carrier/fake-call.ts';
import { CarrierPerson } from '../fake-carrier/person.ts';

/** What is said, before it is in the call's format. */
export const SPEECH_FORMAT: MediaFormat = { codec: 'pcm16', rateHz: SESSION_OUTPUT_RATE_HZ };
/** Louder than a line's noise: −50 dBFS. */
const HEARD_LEVEL = 0.003;
/** A shorter silence does not end what the other side says. */
const HOLE_MS = 300;
/** A whole number of packets. */
const KEY_MS = 120;

export interface PersonEndOptions {
  readonly clock: Timers;
  readonly media: CallMedia;
  /** In `SPEECH_FORMAT`. */
  readonly utterances: readonly Buffer[];
  readonly keys: string;
  readonly interruptAfterMs: number | null;
  readonly onNote: (text: string) => void;
  readonly onSpeaks: (utterance: number) => void;
  /** Has heard and said everything. */
  readonly onDone: () => void;
}

export class PersonEnd implements CallEnd {
  /** 16 kHz, from the first sound on. */
  readonly heard: Float32Array[] = [];
  keysHeard = '';
  readonly #options: PersonEndOptions;
  readonly #person: CarrierPerson;
  readonly #jitter = new JitterBuffer();
  #format: LineFormat;
  #decoder: LineDecoder;
  #encoder: LineEncoder;
  #timer: Timer | null = null;
  #dueAtMs = 0;
  #level = 0;
  #silentMs = HOLE_MS;
  #isOtherSpeaking = false;
  #isSaying = false;

  constructor(options: PersonEndOptions) {
    const { media, utterances, keys, interruptAfterMs, onNote, onSpeaks } = options;
    this.#options = options;
    this.#format = media.format;
    this.#decoder = lineDecoder(media.format);
    this.#encoder = lineEncoder(media.format, FRAME_MS);
    this.#person = new CarrierPerson({
      ...{ utterances, keys, interruptAfterMs, onSpeaks, frameBytes: bytesOfMs(SPEECH_FORMAT, FRAME_MS) },
      onKey: key => {
        onNote(`the caller presses ${key}`);
        if (!media.session.sender.sendKey(key)) this.#sound(key);
      },
    });
  }

  get counts() {
    return this.#jitter.counts;
  }

  /** The call is up, and its sound agreed on. */
  reformatted(): void {
    this.#encoder = lineEncoder(this.#options.media.format, FRAME_MS);
    if (this.#timer) return;
    this.#dueAtMs = this.#options.clock.nowMs();
    this.#arm();
  }

  packet(packet: { readonly sequence: number; readonly mediaMs: number; readonly payload: Buffer }): void {
    const durationMs = packetMs(this.#format, packet.payload);
    this.#take(this.#jitter.push({ ...packet, durationMs }, this.#options.clock.nowMs()));
  }

  key(key: string): void {
    this.keysHeard += key;
  }

  format(format: LineFormat): void {
    if (isSameFormat(format, this.#format)) return;
    this.#take(this.#jitter.drain());
    this.#format = format;
    this.#decoder = lineDecoder(format);
  }

  quiet(ms: number): void {
    this.#take([...this.#jitter.drain(), ...this.#jitter.fill(ms)]);
  }

  restarted(): void {
    this.#take(this.#jitter.restart());
  }

  marked(): void {}

  listenForKeys(): void {}

  held(): void {
    this.#options.onNote('the other side holds the call');
  }

  hungUp(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    const { clock } = this.#options;
    this.#dueAtMs += FRAME_MS;
    this.#timer = clock.setTimer(Math.max(0, this.#dueAtMs - clock.nowMs()), () => this.#tick());
  }

  #tick(): void {
    this.#arm();
    this.#take(this.#jitter.due(this.#options.clock.nowMs()));
    const frame = this.#person.next(this.#listen());
    // Between words the sender makes silence by itself.
    if (frame) this.#say(this.#encoder.push(CODECS.pcm16.decode(frame)));
    else if (this.#isSaying) this.#finish();
    this.#isSaying = frame !== null;
    if (this.#person.isDone) this.#options.onDone();
  }

  #say(frames: readonly Buffer[]): void {
    for (const frame of frames) this.#options.media.session.play(frame);
  }

  /** The other side takes no keys beside the sound. */
  #sound(key: string): void {
    const tones = keyTones(key, KEY_MS, SESSION_OUTPUT_RATE_HZ);
    if (tones) this.#say(this.#encoder.push(tones));
    this.#finish();
  }

  #finish(): void {
    this.#say(this.#encoder.finish());
  }

  #take(all: readonly Heard[]): void {
    for (const [n, one] of all.entries()) {
      if (one.type === 'sound') this.#hear(this.#decoder.sound(one.payload) ?? silence(0));
      else if (one.type === 'gap') this.#hear(silence(one.ms));
      else {
        const next = all[n + 1];
        const { pieces, silentMs } = this.#decoder.lost(one.ms, next?.type === 'sound' ? next.payload : null);
        this.#hear(silence(silentMs));
        for (const { samples } of pieces) this.#hear(samples);
      }
    }
  }

  #hear(samples: Float32Array): void {
    this.heard.push(samples);
    for (const sample of samples) this.#level = Math.max(this.#level, Math.abs(sample));
  }

  #listen(): boolean {
    this.#silentMs = this.#level > HEARD_LEVEL ? 0 : this.#silentMs + FRAME_MS;
    this.#level = 0;
    const speaks = this.#silentMs < HOLE_MS;
    if (speaks !== this.#isOtherSpeaking)
      this.#options.onNote(speaks ? 'the agent speaks' : 'the agent is silent');
    this.#isOtherSpeaking = speaks;
    return speaks;
  }
}

const silence = (ms: number) => new Float32Array(Math.round((ms * SESSION_INPUT_RATE_HZ) / 1000));
