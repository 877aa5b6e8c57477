/**
 * One telephone call and its session, whatever carries it:
 *
 *   carrier ─► dialect ─► PhoneCall ─► jitter buffer ─► decoder ─► session
 *   carrier ◄─ dialect ◄─ LineSpeaker ◄────────────────────────── play-out
 */
import type { Subscription } from 'rxjs';
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
  KeyToneDetector,
  type LineFormat,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
} from '../media/index.ts';
import type { Metrics } from '../server/metrics.ts';
import type { CallTap, ConnectedParty, Switchboard, SwitchedCall } from '../switchboard.ts';
import { type AnsweredBy, LineWatch, type OnMachine } from './answered-by/index.ts';
import { DigitCollector, type DigitSettings, isKey } from './digits.ts';
import type { LinePace, PhoneLine } from './line.ts';
import { type EarPiece, LineEar, type PhonePacket } from './line-ear.ts';
import { LineMouth } from './line-mouth.ts';
import { mutedLine } from './muted-line.ts';
import { LineSpeaker } from './line-speaker.ts';
import { phoneSettings } from './policy.ts';

const CALLERS_TURN: ReadonlySet<TurnState> = new Set([
  'userSpeaking',
  'maybeDone',
  'speculating',
  'interrupted',
]);

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
  readonly switchboard: Switchboard;
  readonly events?: CallEvents;
  /** A call of ours: it is found out who answers. Absent: whoever it is, the agent hears it. */
  readonly onMachine?: OnMachine;
  /** As the carrier tells it. */
  readonly about?: { readonly callId?: string; readonly from?: string; readonly to?: string };
  /** The session is over, by itself or because of `hungUp`. Once. */
  readonly onEnded: (reason: string) => void;
}

export class PhoneCall implements SwitchedCall {
  readonly session: Session;
  readonly from: string | null;
  readonly to: string | null;
  onKey: ((key: string) => boolean) | null = null;
  #tap: CallTap | null = null;
  readonly #options: PhoneCallOptions;
  readonly #speaker: LineSpeaker;
  readonly #digits: DigitCollector;
  /** Where keys come in no other way; null: they do. */
  #keyTones: KeyToneDetector | null = null;
  #lastKey: { readonly key: string; readonly isHeard: boolean; readonly atMs: number } | null = null;
  readonly #watch: LineWatch;
  readonly #ear: LineEar;
  readonly #subscription: Subscription;
  /** A caller's turn is open: what was typed belongs to it and is answered with it. */
  #isSpeaking = false;
  /** The reply that is being made or played. */
  #replyItemId: string | null = null;
  /** All of it was given to the line. */
  #isReplySent = false;
  #ended = false;
  #isWaiting = false;
  /** Whom the line is connected with, and a party's voice on it; null: the agent. */
  #party: ConnectedParty | null = null;
  #mouth: LineMouth | null = null;
  readonly #overListeners = new Set<() => void>();
  readonly #startedMs: number;

  /** Errors: those of `Runtime.openSession`. */
  constructor(options: PhoneCallOptions) {
    const { clock, instructions, line, pace, runtime, sessionDefaults, switchboard } = options;
    this.#options = options;
    this.#startedMs = clock.nowMs();
    this.#speaker = new LineSpeaker(
      mutedLine(line, () => this.#isWaiting),
      pace,
      clock,
    );
    this.#ear = new LineEar(line.format, clock, piece => this.#listen(piece));
    this.#digits = new DigitCollector(options.digits, clock, digits => this.#entered(digits));
    this.#watch = new LineWatch({
      ...options,
      speak: () => this.session.send({ type: 'response.create' }),
      hangUp: reason => this.session.close(reason),
    });
    const settings = phoneSettings(sessionDefaults, line.format);
    const own = instructions === undefined ? {} : { instructions };
    const tools = runtime.callsTools ? switchboard.tools : [];
    const ours = { id: options.id, speaker: this.#speaker, tools };
    this.session = runtime.openSession({ ...settings, ...own }, ours);
    this.#subscription = this.session.events$.subscribe(event => this.#onSessionEvent(event));
    options.metrics.callStarted(options.carrier);
    const { callId: carrierCallId = null, from = null, to = null } = options.about ?? {};
    this.from = from;
    this.to = to;
    const { carrier, id: call } = options;
    switchboard.add(this);
    options.events?.tell({ type: 'call.started', call, carrier, carrierCallId, from, to });
  }

  get id(): string {
    return this.#options.id;
  }

  get carrier(): string {
    return this.#options.carrier;
  }

  get tap(): CallTap | null {
    return this.#tap;
  }

  set tap(tap: CallTap | null) {
    this.#tap = tap;
    this.#speaker.tap = tap && (samples => tap.agent(samples));
  }

  get isConnected(): boolean {
    return this.#party !== null;
  }

  get isQuiet(): boolean {
    return this.#replyItemId === null || (this.#isReplySent && this.#speaker.isIdle);
  }

  /** Of a call of ours, as soon as it is known. */
  get answeredBy(): AnsweredBy | null {
    return this.#watch.answeredBy;
  }

  /** Sound of the caller's. */
  packet(packet: PhonePacket): void {
    if (!this.#ended) this.#ear.packet(packet);
  }

  /** What comes next is in another format. */
  format(format: LineFormat): void {
    if (!this.#ended) this.#ear.format(format);
  }

  /** Nothing has come for so long: silence by the clock, so that a turn can end. */
  quiet(ms: number): void {
    if (!this.#ended) this.#ear.quiet(ms);
  }

  /** What comes next is another stream. */
  restarted(): void {
    if (!this.#ended) this.#ear.restarted();
  }

  /** What the line plays is in another format from now on. */
  reformatted(): void {
    if (this.#ended) return;
    this.#speaker.reformat();
    this.#mouth?.reformat();
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
      if (this.#party) return void this.#party.press(key);
      if (this.#isWaiting || this.onKey?.(key)) return;
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
    this.#ear.drain();
    this.#end(reason);
    this.session.close(reason);
    this.#party?.hangUp('the other party hung up');
  }

  wait(isWaiting: boolean): void {
    if (this.#ended || this.#isWaiting === isWaiting) return;
    // What was being said is cut where it was heard to, and what was said to nobody is thrown away.
    this.#stopReply();
    this.#isWaiting = isWaiting;
  }

  connect(other: ConnectedParty): void {
    if (this.#ended || this.#party) return;
    this.#stopReply();
    this.#isWaiting = false;
    this.#party = other;
    this.#subscription.unsubscribe();
    this.#digits.stop();
    this.#speaker.flush();
    this.#speaker.close();
    this.session.close('the caller was connected with somebody else');
  }

  hear(samples: Float32Array): void {
    if (this.#ended) return;
    const { clock, line, pace } = this.#options;
    this.#mouth ??= new LineMouth(line, pace.frameMs, clock);
    this.#mouth.say(samples);
  }

  press(key: string): void {
    if (!this.#ended) this.#options.line.press?.(key);
  }

  hangUp(reason: string): void {
    if (!this.#ended) this.#options.line.hangUp(reason);
  }

  whenOver(listener: () => void): () => void {
    this.#overListeners.add(listener);
    return () => this.#overListeners.delete(listener);
  }

  #listen({ samples, lost, waitedMs, heldBackMs }: EarPiece): void {
    if (this.#ended) return;
    if (!lost) this.#takeKeys(samples);
    this.#tap?.caller(samples);
    if (this.#party) {
      this.#party.hear(samples);
      return;
    }
    if (this.#isWaiting) samples.fill(0);
    for (const heard of this.#watch.hear({ samples, lost, waitedMs })) {
      // Field by field: a spread is slow, and this is done for every packet of every call.
      this.session.send({
        type: 'audio',
        samples: heard.samples,
        lost: heard.lost,
        waitedMs: heard.waitedMs,
        heldBackMs,
      });
    }
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
    this.#ear.stop();
    this.#digits.stop();
    this.#subscription.unsubscribe();
    this.#speaker.close();
    const { carrier, clock, events, id, log, metrics, onEnded, switchboard } = this.#options;
    switchboard.remove(this);
    const { counts } = this.#ear;
    metrics.callEnded(carrier, counts);
    log.info({ call: id, carrier, reason, ...counts }, 'A call ended.');
    const durationMs = Math.round(clock.nowMs() - this.#startedMs);
    events?.tell({ type: 'call.ended', call: id, reason, durationMs });
    onEnded(reason);
    for (const listener of [...this.#overListeners]) listener();
  }
}
