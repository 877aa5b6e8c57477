import type { TurnTrace } from '../../actors/session-api.ts';
import { turnJson, turnText } from './report.ts';
import { StatusLine } from './status-line.ts';

/** What a person or a program sees of a conversation: turns as they happen, or all of them as JSON at the end. */
export class TalkOutput {
  readonly #json: boolean;
  readonly #print: (text: string) => void;
  readonly #status = new StatusLine();
  readonly #turns: TurnTrace[] = [];

  /** @param keepsStdoutFree the sound goes there */
  constructor(json: boolean, keepsStdoutFree: boolean) {
    this.#json = json;
    this.#print = keepsStdoutFree ? console.error : console.log;
  }

  get hasTurns(): boolean {
    return this.#turns.length > 0;
  }

  /** Times counted from the beginning of the conversation. */
  turn(trace: TurnTrace): void {
    this.#status.clear();
    if (!this.#json) this.#print(`${this.hasTurns ? '\n' : ''}${turnText(trace)}`);
    this.#turns.push(trace);
  }

  /** One that does not stay. */
  status(text: string): void {
    this.#status.show(text);
  }

  /** For the person, beside the results. */
  note(text: string): void {
    this.#status.clear();
    console.error(text);
  }

  /** @param isComplete nobody ended it early @param nothing what to say where there was no turn */
  finish(isComplete: boolean, nothing: string): void {
    this.#status.clear();
    if (this.#json) this.#print(JSON.stringify({ isComplete, turns: this.#turns.map(turnJson) }, null, 2));
    if (!this.hasTurns) (this.#json ? console.error : this.#print)(nothing);
  }
}
