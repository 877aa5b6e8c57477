/**
 * What the model is told, in a system turn behind the instructions, of turns that have left its context. Who writes it
 * is the embedder's (`Memory.summarise`); here it is asked for in order, bounded in time and length, and told outside.
 */
import type { ModelDescription, Tokenizer } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock } from '../core/clock.ts';
import type { Summarise } from '../memory.ts';
import type { ConversationItem, SessionEvent } from '../session-api.ts';
import { readable } from './checks.ts';

/** Of the context. */
const SUMMARY_SHARE = 1 / 8;
/** No text that means something has fewer tokens. */
const CHARS_PER_TOKEN = 6;
const ANSWER_MS = 30_000;
/** Of the items that wait while a summary is being written: beyond it the oldest are never told of. */
const MOST_WAITING = 256;

export interface ForgottenDeps {
  readonly clock: Clock;
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  readonly summarise: Summarise | null;
  /** In the place of the one before. */
  readonly write: (text: string) => void;
  readonly emit: (event: SessionEvent) => void;
  readonly enter: (action: () => void) => void;
}

export class Forgotten {
  readonly #deps: ForgottenDeps;
  #text = '';
  #waiting: ConversationItem[] = [];
  /** The one that is being written. */
  #writing: object | null = null;

  constructor(deps: ForgottenDeps) {
    this.#deps = deps;
  }

  /** They have just left the context. */
  left(items: readonly ConversationItem[]): void {
    if (!this.#deps.summarise) return;
    this.#waiting = [...this.#waiting, ...items].slice(-MOST_WAITING);
    if (!this.#writing) this.#next();
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const { clock, enter, summarise } = this.#deps;
    const items = this.#waiting;
    this.#waiting = [];
    const writing = {};
    const settle = (take: () => void) => {
      if (this.#writing !== writing) return;
      this.#writing = null;
      timer.cancel();
      take();
      this.#next();
    };
    this.#writing = writing;
    const late = () => {
      const remedy = 'Answer sooner; the summary before stays.';
      return new RuntimeError(
        'summary.late',
        'The summary was not there in time.',
        { withinMs: ANSWER_MS },
        remedy,
      );
    };
    const timer = clock.setTimer(ANSWER_MS, () => enter(() => settle(() => this.#failed(late()))));
    const failed = (error: unknown) => settle(() => this.#failed(error));
    try {
      const given = summarise!(items, this.#text);
      if (typeof given === 'string') settle(() => this.#take(given));
      else
        given.then(
          text => enter(() => settle(() => this.#take(text))),
          error => enter(() => failed(error)),
        );
    } catch (error) {
      failed(error);
    }
  }

  #take(text: string): void {
    const { emit, model, tokenizer, write } = this.#deps;
    const most = Math.floor(model.maxPositions * SUMMARY_SHARE);
    if (text.length > most * CHARS_PER_TOKEN || tokenizer.encode(text).length > most) {
      const values = { chars: text.length, maxTokens: most };
      this.#failed(new RuntimeError('summary.oversized', 'The summary is too long.', values, 'Shorten it.'));
      return;
    }
    if (text === this.#text) return;
    this.#text = text;
    write(text);
    emit({ type: 'context.summarised', text });
  }

  #failed(error: unknown): void {
    this.#deps.emit({ type: 'error', ...readable(error), fatal: false });
  }
}
