import type { Clock } from '../../actors/core/clock.ts';
import type { AudioCommand, PictureCommand } from '../../actors/index.ts';
import type { RuntimeError } from '../../kernels/errors.ts';
import { fromPcm16, toPcm16 } from '../media/pcm16.ts';
import { HeardSound } from '../talk/heard-sound.ts';
import { type CallTurn, CallTurns } from './call-turns.ts';
import type { CallingLine, WireEvent } from './line.ts';

/** Of PCM in the protocol, both ways. */
export const CALL_SAMPLE_RATE = 24_000;
const REPORT_MS = 200;
const EXTENSIONS_ID = 'ask_for_extensions';

/** What a call needs of its line. */
export type ToServer = Pick<CallingLine, 'send' | 'failure' | 'hangUp'>;

export interface CallHooks {
  readonly onTurn: (turn: CallTurn) => void;
  readonly onAudio: (samples: Float32Array) => void;
  readonly onClear: () => void;
  readonly onState: (text: string) => void;
  /** What the server complains of; the call goes on. */
  readonly onComplaint: (message: string) => void;
}

/**
 * One call from the client's side. What is heard is counted here by the clock; with our own servers it is reported to
 * them and they say what to throw away, with others the client does both by the book: it stops when the person speaks,
 * and truncates.
 */
export class CallingClient {
  readonly startedAtMs: number;
  readonly #clock: Clock;
  readonly #line: ToServer;
  readonly #hooks: CallHooks;
  readonly #heard: HeardSound;
  readonly #turns: CallTurns;
  #hasExtensions = false;
  #isUserSpeaking = false;
  #activeResponses = 0;
  #changedAtMs: number;
  /** The item that is being heard, and its samples that came. */
  #item: { readonly id: string; readonly beginsAtMs: number; samples: number } | null = null;
  #reportedAtMs = 0;

  constructor(line: ToServer, clock: Clock, instructions: string | undefined, hooks: CallHooks) {
    this.#line = line;
    this.#clock = clock;
    this.#hooks = hooks;
    this.startedAtMs = this.#changedAtMs = clock.nowMs();
    this.#heard = new HeardSound(clock, CALL_SAMPLE_RATE);
    this.#turns = new CallTurns(this.startedAtMs);
    const transcription = { model: 'whisper-1' };
    const session = {
      type: 'realtime',
      audio: { input: { transcription } },
      ...(instructions && { instructions }),
    };
    line.send({ type: 'session.update', session });
    // Servers that are not ours refuse this, which is no fault.
    const longcat = { extensions: true };
    line.send({ type: 'session.update', event_id: EXTENSIONS_ID, session: { type: 'realtime', longcat } });
  }

  get failure(): RuntimeError | null {
    return this.#line.failure;
  }

  get hasHeardSpeech(): boolean {
    return this.#turns.count > 0;
  }

  /** Samples of the person, 24 kHz mono; a call has no pictures. */
  send(command: AudioCommand | PictureCommand): void {
    if (command.type !== 'audio') return;
    const { samples } = command;
    this.#line.send({ type: 'input_audio_buffer.append', audio: toPcm16(samples).toString('base64') });
  }

  /** Milliseconds since nobody speaks, nothing is being said and everything was heard. */
  restedForMs(): number {
    if (this.#isUserSpeaking || this.#activeResponses > 0) return 0;
    return Math.max(0, this.#clock.nowMs() - Math.max(this.#changedAtMs, this.#heard.endsAtMs));
  }

  recording(): Float32Array {
    return this.#heard.recording();
  }

  /** Now and then: tells the server what was heard, and the person which turns are over. */
  tick(): void {
    const nowMs = this.#clock.nowMs();
    if (this.#item && this.#hasExtensions && nowMs - this.#reportedAtMs >= REPORT_MS)
      this.#report(this.#item.id);
    for (const turn of this.#turns.over(nowMs, this.#heard.remainingMs === 0)) this.#hooks.onTurn(turn);
  }

  hangUp(): void {
    for (const turn of this.#turns.rest()) this.#hooks.onTurn(turn);
    this.#line.hangUp();
  }

  on(event: WireEvent): void {
    const nowMs = this.#clock.nowMs();
    this.#changedAtMs = nowMs;
    switch (event.type) {
      case 'session.updated':
        this.#hasExtensions ||= Boolean((event.session as { longcat?: unknown })?.longcat);
        break;
      case 'input_audio_buffer.speech_started':
        this.#isUserSpeaking = true;
        if (!this.#hasExtensions) this.#interrupt();
        this.#hooks.onState('you speak');
        break;
      case 'input_audio_buffer.speech_stopped':
        this.#isUserSpeaking = false;
        break;
      case 'response.created':
        this.#activeResponses++;
        this.#hooks.onState('it answers (interrupt by talking)');
        break;
      case 'response.done':
        this.#activeResponses = Math.max(0, this.#activeResponses - 1);
        this.#hooks.onState('listening');
        break;
      case 'longcat.playout.clear':
        this.#clear();
        break;
      case 'response.output_audio.delta':
      case 'response.audio.delta':
        this.#hear(String(event.item_id), fromPcm16(Buffer.from(String(event.delta), 'base64')));
        break;
      case 'error':
        this.#complain(event.error as { event_id?: string; message?: string; code?: string } | undefined);
        break;
    }
    this.#turns.on(event, nowMs);
  }

  #hear(itemId: string, samples: Float32Array): void {
    const beginsAtMs = this.#clock.nowMs() + this.#heard.remainingMs;
    if (this.#item?.id !== itemId) this.#item = { id: itemId, beginsAtMs, samples: 0 };
    this.#item.samples += samples.length;
    this.#heard.add(samples);
    this.#hooks.onAudio(samples);
  }

  /** By the book: what plays is stopped, and the server is told where. */
  #interrupt(): void {
    if (!this.#item || this.#heard.remainingMs === 0) return;
    const { id } = this.#item;
    const audioEndMs = this.#heardMs();
    this.#clear();
    this.#line.send({
      type: 'conversation.item.truncate',
      item_id: id,
      content_index: 0,
      audio_end_ms: audioEndMs,
    });
  }

  #clear(): void {
    if (this.#item && this.#hasExtensions) this.#report(this.#item.id);
    this.#turns.interrupted(this.#heardMs());
    this.#heard.clear();
    this.#item = null;
    this.#hooks.onClear();
  }

  #report(itemId: string): void {
    this.#reportedAtMs = this.#clock.nowMs();
    const heardMs = this.#heardMs();
    this.#turns.heard(heardMs);
    this.#line.send({ type: 'longcat.playback.report', item_id: itemId, heard_ms: heardMs });
    if (this.#item && this.#heard.remainingMs === 0 && this.#activeResponses === 0) this.#item = null;
  }

  /** Of the item that plays. */
  #heardMs(): number {
    if (!this.#item) return 0;
    const played = this.#clock.nowMs() - this.#item.beginsAtMs;
    return Math.round(Math.max(0, Math.min(played, (this.#item.samples * 1000) / CALL_SAMPLE_RATE)));
  }

  #complain(error: { event_id?: string; message?: string; code?: string } | undefined): void {
    if (error?.event_id === EXTENSIONS_ID) return;
    this.#hooks.onComplaint(error?.message ?? error?.code ?? 'no reason was given');
  }
}
