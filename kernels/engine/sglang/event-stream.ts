/** Server-sent events as SGLang writes them: `data: {json}`, blank lines between, `data: [DONE]` at the end. */
import { StringDecoder } from 'node:string_decoder';
import { malformed } from './errors.ts';

const DATA = /^data: ?/;
const DONE = '[DONE]';

export class EventStream {
  readonly #maxEventBytes: number;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  isDone = false;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** The events that are whole with these bytes. @throws RuntimeError `sglang.malformed` */
  push(bytes: Uint8Array): unknown[] {
    const lines = (this.#rest + this.#decoder.write(bytes as Buffer)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > this.#maxEventBytes) throw malformed('an event is too long');
    return lines.flatMap(line => this.#eventOf(line.trimEnd()));
  }

  #eventOf(line: string): unknown[] {
    if (!DATA.test(line) || this.isDone) return [];
    const text = line.replace(DATA, '');
    if (text === DONE) {
      this.isDone = true;
      return [];
    }
    try {
      return [JSON.parse(text)];
    } catch {
      throw malformed('an event is no JSON');
    }
  }
}
