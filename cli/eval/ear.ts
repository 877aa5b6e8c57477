import type { Clock } from '../../actors/core/clock.ts';
import type { Session, SessionEvent, TurnTrace } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';

/** What the agent said between two moments of a conversation. */
export interface Said {
  readonly text: string;
  /** Output rate; what was sent, also where it was cleared later. */
  readonly samples: Float32Array;
  readonly trace: TurnTrace | null;
  /** Tools that it called. */
  readonly calls: readonly { readonly name: string; readonly argumentsJson: string }[];
}

/** Hears the agent turn by turn; the end of a reply that is being interrupted is not of the next one. */
export class TurnListener {
  readonly #clock: Clock;
  #responseId = '';
  #text = '';
  #pieces: Float32Array[] = [];
  #trace: TurnTrace | null = null;
  #calls: Said['calls'] = [];
  #active = 0;
  #state = 'idle';
  #changedAtMs: number;
  #firstAudioMs: number | null = null;
  /** The text that the ledger left of the last interrupted reply. */
  truncatedText: string | null = null;
  failure: RuntimeError | null = null;

  constructor(session: Session, clock: Clock) {
    this.#clock = clock;
    this.#changedAtMs = clock.nowMs();
    session.events$.subscribe(event => this.#on(event));
  }

  restedForMs(): number {
    const isBusy = this.#state !== 'idle' || this.#active > 0;
    return isBusy ? 0 : this.#clock.nowMs() - this.#changedAtMs;
  }

  /** Milliseconds since the reply began to be heard; null before. */
  hearingForMs(): number | null {
    return this.#firstAudioMs === null ? null : this.#clock.nowMs() - this.#firstAudioMs;
  }

  /** What was said since the last call. */
  take(): Said {
    const samples = new Float32Array(this.#pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      samples.set(piece, at);
      at += piece.length;
    }
    const said = { text: this.#text.trim(), samples, trace: this.#trace, calls: this.#calls };
    this.#calls = [];
    [this.#text, this.#pieces, this.#trace, this.#firstAudioMs] = ['', [], null, null];
    return said;
  }

  #begin(responseId: string): void {
    this.#responseId = responseId;
    [this.#text, this.#pieces, this.#firstAudioMs] = ['', [], null];
    this.#active++;
  }

  #on(event: SessionEvent): void {
    if (event.type === 'state') this.#state = event.state;
    if (event.type === 'response.created') this.#begin(event.responseId);
    if (event.type === 'response.done') this.#active--;
    if (event.type === 'response.text' && event.responseId === this.#responseId) this.#text += event.delta;
    if (event.type === 'response.audio' && event.responseId === this.#responseId) {
      this.#firstAudioMs ??= this.#clock.nowMs();
      this.#pieces.push(event.samples);
    }
    if (event.type === 'response.call')
      this.#calls = [
        ...this.#calls,
        ...event.item.content.flatMap(part => (part.type === 'call' ? [part] : [])),
      ];
    if (event.type === 'item.truncated') this.truncatedText = event.text;
    if (event.type === 'turn.trace') this.#trace = event.trace;
    if (event.type === 'error' && event.fatal) this.failure = new RuntimeError(event.code, event.message);
    if (event.type !== 'duck') this.#changedAtMs = this.#clock.nowMs();
  }
}
