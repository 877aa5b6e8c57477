/**
 * One telephone call and its session, whatever carries it:
 *
 *   carrier ─► dialect ─► PhoneCall ─► jitter buffer ─► decoder ─► session
 *   carrier ◄─ dialect ◄─ LineSpeaker ◄────────────────────────── play-out
 */
import type { Subscription } from 'rxjs';
import type { Timer } from '../../actors/core/clock.ts';
import type { Logger } from '../../actors/core/logger.ts';
import type {
  Runtime,
  Session,
  SessionCommand,
  SessionEvent,
  SessionSettings,
  TurnState,
} from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { CallEvents } from '../call-events.ts';
import type { Timers } from '../guard/index.ts';
import {
  type Heard,
  isSameFormat,
  JitterBuffer,
  KeyToneDetector,
  type LineDecoder,
  type LineFormat,
  lineDecoder,
  packetMs,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
} from '../media/index.ts';
import type { Metrics } from '../server/metrics.ts';
import { type AnsweredBy, LineWatch, type OnMachine } from './answered-by/index.ts';
import { DigitCollector, type DigitSettings, isKey } from './digits.ts';
import type { LinePace, PhoneLine } from './line.ts';
import { LineSpeaker } from './line-speaker.ts';
import { phoneSettings } from './policy.ts';

const CALLERS_TURN: ReadonlySet<TurnState> = new Set([
  'userSpeaking',
  'maybeDone',
  'speculating',
  'interrupted',
]);

/** A stretch that did not come is silence for the ear, and no more of it than what makes any turn end. */
const MAX_FILL_MS = 1000;
/** A key that two ways tell within this is one. */
const SAME_KEY_MS = 500;

export interface PhoneCallOptions {
  readonly id: string;
  readonly carrier: string;
  readonly line: PhoneLine;
  readonly pace: LinePace;
  readonly runtime: Runtime;
  readonly sessionDefaults: Partial<SessionSettings>;
  /** Of this call alone; absent: the operator's. */
  readonly instructions?: string;
  readonly digits: DigitSettings;
  readonly clock: Timers;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly events?: CallEvents;
  /** A call of ours: it is found out who answers. Absent: whoever it is, the agent hears it. */
  readonly onMachine?: OnMachine;
  /** As the carrier tells it. */
  readonly about?: { readonly callId?: string; readonly from?: string; readonly to?: string };
  /** The session is over, by itself or because of `hungUp`. Once. */
  readonly onEnded: (reason: string) => void;
}

/** Sound of one packet, in the line's format. */
export interface PhonePacket {
  /**
   * Null: the carrier numbers nothing, and what comes is in order. A number without payload is one that carries no
   * sound.
   */
  readonly sequence: number | null;
  /** Absent with a sequence: packets stand one behind the other. */
  readonly mediaMs: number | null;
  readonly payload: Buffer;
}

export class PhoneCall {
  readonly session: Session;
  readonly #options: PhoneCallOptions;
  readonly #speaker: LineSpeaker;
  readonly #digits: DigitCollector;
  /** Where keys come in no other way; null: they do. */
  #keyTones: KeyToneDetector | null = null;
  #lastKey: { readonly key: string; readonly isHeard: boolean; readonly atMs: number } | null = null;
  #decoder: LineDecoder;
  /** Of what comes. */
  #format: LineFormat;
  readonly #watch: LineWatch;
  readonly #jitter = new JitterBuffer();
  readonly #subscription: Subscription;
  #holeTimer: Timer | null = null;
  /** Where the next packet without a time of its own stands. */
  #mediaMs = 0;
  /** A caller's turn is open: what was typed belongs to it and is answered with it. */
  #isSpeaking = false;
  /** The reply that is being made or played. */
  #replyItemId: string | null = null;
  /** All of it was given to the line. */
  #isReplySent = false;
  #ended = false;
  readonly #startedMs: number;

  /** Errors: those of `Runtime.openSession`. */
  constructor(options: PhoneCallOptions) {
    const { clock, instructions, line, pace, runtime, sessionDefaults } = options;
    this.#options = options;
    this.#startedMs = clock.nowMs();
    this.#speaker = new LineSpeaker(line, pace, clock);
    this.#format = line.format;
    this.#decoder = lineDecoder(line.format);
    this.#digits = new DigitCollector(options.digits, clock, digits => this.#entered(digits));
    this.#watch = new LineWatch({
      ...options,
      speak: () => this.session.send({ type: 'response.create' }),
      hangUp: reason => this.session.close(reason),
    });
    const settings = phoneSettings(sessionDefaults, line.format);
    const own = instructions === undefined ? {} : { instructions };
    this.session = runtime.openSession({ ...settings, ...own }, { id: options.id, speaker: this.#speaker });
    this.#subscription = this.session.events$.subscribe(event => this.#onSessionEvent(event));
    options.metrics.callStarted(options.carrier);
    const { callId: carrierCallId = null, from = null, to = null } = options.about ?? {};
    const { carrier, id: call } = options;
    options.events?.tell({ type: 'call.started', call, carrier, carrierCallId, from, to });
  }

  /** Of a call of ours, as soon as it is known. */
  get answeredBy(): AnsweredBy | null {
    return this.#watch.answeredBy;
  }

  /** Sound of the caller's. */
  packet({ sequence, mediaMs, payload }: PhonePacket): void {
    if (this.#ended) return;
    if (sequence === null) {
      if (payload.length > 0) this.#sound(payload, 0);
      return;
    }
    const durationMs = packetMs(this.#format, payload);
    const atMs = mediaMs ?? this.#mediaMs;
    this.#mediaMs = atMs + durationMs;
    const packet = { sequence, mediaMs: atMs, durationMs, payload };
    this.#hearAll(this.#jitter.push(packet, this.#options.clock.nowMs()));
    this.#watchHole();
  }

  /** What comes next is in another format. */
  format(format: LineFormat): void {
    if (this.#ended || isSameFormat(format, this.#format)) return;
    this.#hearAll(this.#jitter.drain());
    this.#format = format;
    this.#decoder = lineDecoder(format);
  }

  /** Nothing has come for so long: silence by the clock, so that a turn can end. */
  quiet(ms: number): void {
    if (!this.#ended) this.#hearAll([...this.#jitter.drain(), ...this.#jitter.fill(ms)]);
  }

  /** What comes next is another stream. */
  restarted(): void {
    if (!this.#ended) this.#hearAll(this.#jitter.restart());
  }

  /** What the line plays is in another format from now on. */
  reformatted(): void {
    if (!this.#ended) this.#speaker.reformat();
  }

  /** The caller does not listen any more: what was being said is cut where it was heard to. */
  held(): void {
    if (!this.#ended) this.#stopReply();
  }

  /** A key; the first of an entry stops the agent, as a caller expects who knows what to press. */
  key(key: string, isHeard = false): void {
    if (this.#ended) return;
    if (isKey(key)) {
      if (this.#isToldTwice(key, isHeard)) return;
      this.#stopReply();
      this.#digits.press(key);
      return;
    }
    const { carrier, id, log } = this.#options;
    log.warn({ call: id, carrier }, 'A key that no telephone has.');
  }

  /** Whether keys have to be heard in the sound itself. */
  listenForKeys(isWanted: boolean): void {
    if (isWanted) this.#keyTones ??= new KeyToneDetector(SESSION_INPUT_RATE_HZ);
    else this.#keyTones = null;
  }

  /** The line has played up to a mark; `atMs`: at that time, where it knows it. */
  marked(name: string, atMs?: number): void {
    if (!this.#ended) this.#speaker.marked(name, atMs);
  }

  /** The caller or the carrier ended the call. */
  hungUp(reason: string): void {
    if (this.#ended) return;
    this.#hearAll(this.#jitter.drain());
    this.#end(reason);
    this.session.close(reason);
  }

  #hearAll(all: readonly Heard[]): void {
    for (let n = 0; n < all.length && !this.#ended; n++) {
      const heard = all[n];
      if (heard.type === 'sound') this.#sound(heard.payload, this.#waitedMs(heard));
      else if (heard.type === 'gap') this.#silence(heard.ms, false, 0);
      else {
        const next = all[n + 1];
        const sound = next?.type === 'sound' ? next : null;
        // It was to come a packet before the one that is there.
        const waitedMs = sound ? this.#waitedMs(sound) + packetMs(this.#format, sound.payload) : 0;
        this.#lost(Math.min(heard.ms, MAX_FILL_MS), sound?.payload ?? null, waitedMs);
      }
    }
  }

  #waitedMs({ arrivalMs }: Extract<Heard, { type: 'sound' }>): number {
    return Math.max(0, this.#options.clock.nowMs() - arrivalMs);
  }

  #sound(payload: Buffer, waitedMs: number): void {
    const samples = this.#decoder.sound(payload);
    if (!samples) {
      this.#lost(packetMs(this.#format, payload), null, waitedMs);
      return;
    }
    this.#takeKeys(samples);
    this.#listen(samples, false, waitedMs);
  }

  #lost(ms: number, next: Buffer | null, waitedMs: number): void {
    const { pieces, silentMs } = this.#decoder.lost(ms, next);
    this.#silence(silentMs, true, waitedMs);
    for (const { samples, lost } of pieces) this.#listen(samples, lost, waitedMs);
  }

  #silence(ms: number, lost: boolean, waitedMs: number): void {
    const samples = new Float32Array(Math.round((Math.min(ms, MAX_FILL_MS) * SESSION_INPUT_RATE_HZ) / 1000));
    this.#listen(samples, lost, waitedMs);
  }

  #listen(samples: Float32Array, lost: boolean, waitedMs: number): void {
    if (samples.length === 0) return;
    const { heldBackMs } = this.#decoder;
    for (const heard of this.#watch.hear({ samples, lost, waitedMs }))
      this.session.send({ type: 'audio', ...heard, heldBackMs });
  }

  /** Some telephones say a key in the sound and by INFO. */
  #isToldTwice(key: string, isHeard: boolean): boolean {
    const nowMs = this.#options.clock.nowMs();
    const last = this.#lastKey;
    const isTwice =
      last !== null && last.key === key && last.isHeard !== isHeard && nowMs - last.atMs < SAME_KEY_MS;
    this.#lastKey = isTwice ? null : { key, isHeard, atMs: nowMs };
    return isTwice;
  }

  /** A key is for the conversation, not for the ear. */
  #takeKeys(samples: Float32Array): void {
    if (!this.#keyTones) return;
    for (const key of this.#keyTones.push(samples)) this.key(key, true);
    if (this.#keyTones.isPressed) samples.fill(0);
  }

  #watchHole(): void {
    this.#holeTimer?.cancel();
    this.#holeTimer = null;
    const dueAtMs = this.#jitter.dueAtMs;
    if (dueAtMs === null) return;
    const { clock } = this.#options;
    this.#holeTimer = clock.setTimer(Math.max(0, dueAtMs - clock.nowMs()), () => {
      this.#holeTimer = null;
      this.#hearAll(this.#jitter.due(clock.nowMs()));
      this.#watchHole();
    });
  }

  /**
   * Digits come into the conversation as the caller's words, and are answered, with the turn that is open if there is
   * one.
   */
  #entered(digits: string): void {
    const { carrier, id, log } = this.#options;
    log.info({ call: id, carrier, digits: this.#digits.shown(digits) }, 'The caller entered digits.');
    const shown = this.#options.digits.secret ? null : digits;
    this.#options.events?.tell({ type: 'call.digits', call: id, count: digits.length, digits: shown });
    try {
      const item = { role: 'user' as const, content: [{ type: 'text' as const, text: digits }] };
      this.session.send({ type: 'item.add', item });
      if (this.#isSpeaking) return;
      this.#stopReply();
      this.session.send({ type: 'response.create' });
    } catch (error) {
      // A reply that runs is the answer then; a full conversation tells by itself.
      if (!(error instanceof RuntimeError)) throw error;
      log.warn({ call: id, carrier, code: error.code }, 'Digits could not be answered.');
    }
  }

  #stopReply(): void {
    const itemId = this.#replyItemId;
    if (itemId === null || this.#isSpeaking) return;
    this.#replyItemId = null;
    // It has been heard to its end.
    if (this.#isReplySent && this.#speaker.isIdle) return;
    try {
      this.session.send(this.#stopping(itemId));
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error; // It ended meanwhile.
    }
  }

  /**
   * Cut where the line says it was heard to; a line that says nothing plays what it has, which its pace keeps short.
   */
  #stopping(itemId: string): SessionCommand {
    if (!this.#options.line.mark) return { type: 'response.cancel' };
    const heard = this.#speaker.heard;
    const samples = heard?.itemId === itemId ? heard.samples : 0;
    this.#speaker.flush();
    return {
      type: 'item.truncate',
      itemId,
      audioEndMs: Math.floor((samples * 1000) / SESSION_OUTPUT_RATE_HZ),
    };
  }

  #onSessionEvent(event: SessionEvent): void {
    if (event.type === 'state') this.#isSpeaking = CALLERS_TURN.has(event.state);
    else if (event.type === 'response.created') {
      this.#replyItemId = event.itemId;
      this.#isReplySent = false;
    } else if (event.type === 'playout.clear') this.#replyItemId = null;
    else if (event.type === 'turn.trace') this.#options.metrics.turn(event.trace);
    else if (event.type === 'response.done') {
      this.#isReplySent = event.itemId === this.#replyItemId;
      this.#options.metrics.responseDone(event.status.kind);
    } else if (event.type === 'ended' && !this.#ended) {
      this.#end(event.reason);
      this.#options.line.hangUp(event.reason);
    }
  }

  #end(reason: string): void {
    this.#ended = true;
    this.#holeTimer?.cancel();
    this.#digits.stop();
    this.#subscription.unsubscribe();
    this.#speaker.close();
    const { carrier, clock, events, id, log, metrics, onEnded } = this.#options;
    const { counts } = this.#jitter;
    metrics.callEnded(carrier, counts);
    log.info({ call: id, carrier, reason, ...counts }, 'A call ended.');
    const durationMs = Math.round(clock.nowMs() - this.#startedMs);
    events?.tell({ type: 'call.ended', call: id, reason, durationMs });
    onEnded(reason);
  }
}
