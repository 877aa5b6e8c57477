/**
 * What is found out of a line before the agent hears it, and told: who answers a call of ours, or whether a fax calls.
 */
import type { Logger } from '../../../actors/core/logger.ts';
import type { CallEvents } from '../../call-events.ts';
import { FaxCaller } from './fax-caller.ts';
import { type AnsweredBy, AnswerScreen, type HeardPiece, type OnMachine } from './screen.ts';

export interface LineWatchOptions {
  /** Of the call. */
  readonly id: string;
  /**
   * A call of ours, and what is done where a machine answers. Absent: somebody calls, or it does not matter who
   * answers.
   */
  readonly onMachine?: OnMachine;
  readonly events?: CallEvents;
  readonly log: Logger;
  /** It is the agent's turn. */
  readonly speak: () => void;
  readonly hangUp: (reason: string) => void;
}

export class LineWatch {
  readonly #options: LineWatchOptions;
  /** Null: nothing is held back. */
  #screen: AnswerScreen | null;
  /** Null: the caller is none, or was called. */
  #fax: FaxCaller | null;
  /** Of a call of ours, as soon as it is known. */
  answeredBy: AnsweredBy | null = null;

  constructor(options: LineWatchOptions) {
    this.#options = options;
    const { onMachine } = options;
    this.#screen = onMachine === undefined ? null : this.#screenFor(onMachine);
    this.#fax = onMachine === undefined ? new FaxCaller() : null;
  }

  /** Sound of the line; what of it, and of what came before, is for the agent now. */
  hear(piece: HeardPiece): readonly HeardPiece[] {
    if (this.#fax?.isHeardIn(piece.samples)) {
      const { events, hangUp, id } = this.#options;
      this.#fax = null;
      events?.tell({ type: 'call.fax', call: id });
      hangUp('a fax called');
      return [];
    }
    if (this.#fax?.isOver) this.#fax = null;
    if (!this.#screen) return [piece];
    const heard = this.#screen.hear(piece);
    if (this.#screen.isDone) this.#screen = null;
    return heard;
  }

  #screenFor(onMachine: OnMachine): AnswerScreen {
    const { events, hangUp, id, log, speak } = this.#options;
    return new AnswerScreen(onMachine, {
      onAnsweredBy: (by, afterMs) => {
        log.info({ call: id, by, afterMs }, 'A call of ours was answered.');
        this.answeredBy = by;
        events?.tell({ type: 'call.answered_by', call: id, by, afterMs });
      },
      onRecording: afterMs => {
        events?.tell({ type: 'call.recording', call: id, afterMs });
        speak();
      },
      hangUp,
    });
  }
}
