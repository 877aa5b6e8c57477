/**
 * From events to steps. Lists may be cumulative or hold what is new alone, ids may repeat the prompt's, codes may come
 * later than their ids: what counts is `completion_tokens`, and that a step is one text id and four code ids
 * (docs/spec/remote.md §1).
 */
import { ABSENT, CODEBOOKS } from '../positions.ts';
import { malformed, refused } from './errors.ts';
import { CODES_IN } from './settings.ts';

/** As the server made it; ids that are absent are `ABSENT`. */
export interface MadeStep {
  readonly text: number;
  readonly codes: readonly [number, number, number, number];
}

const NO_CODES = [ABSENT, ABSENT, ABSENT, ABSENT] as const;

/** Ids beyond these are not in the tables of the model: the next step could not be fed. */
export interface IdLimits {
  readonly vocabSize: number;
  readonly codeVocabSize: number;
}

export class ReplySteps {
  readonly #limits: IdLimits;
  readonly #speaks: boolean;
  readonly #texts: number[] = [];
  readonly #codes: MadeStep['codes'][] = [];
  /** Known from the second list on: it begins with what was there, or it does not. */
  #codesAreCumulative: boolean | null = null;
  /** Why the server ended it; null while it goes on. */
  finish: string | null = null;
  /** Of the context, what the server had already. */
  cachedPositions = 0;

  /** @param speaks a step is whole with its codes */
  constructor(limits: IdLimits, speaks: boolean) {
    this.#limits = limits;
    this.#speaks = speaks;
  }

  /** Steps that are whole. */
  get length(): number {
    return this.#speaks ? Math.min(this.#texts.length, this.#codes.length) : this.#texts.length;
  }

  at(index: number): MadeStep {
    return { text: this.#texts[index], codes: this.#speaks ? this.#codes[index] : NO_CODES };
  }

  /** @throws RuntimeError `sglang.malformed` | `sglang.refused` */
  push(event: unknown): void {
    const { error, output_ids: ids, meta_info: meta } = recordOf(event, 'an event');
    if (error !== undefined) throw refused(0, JSON.stringify(error));
    const {
      completion_tokens: count,
      cached_tokens: cached,
      finish_reason: reason,
    } = recordOf(meta, 'meta_info');
    if (!isCount(count) || count < this.#texts.length) throw malformed(`completion_tokens ${String(count)}`);
    this.#takeTexts(ids, count);
    if (this.#speaks) this.#takeCodes(codesOf(event), count);
    if (isCount(cached)) this.cachedPositions = cached;
    if (reason !== null && reason !== undefined) this.finish = reasonOf(reason);
  }

  #takeTexts(ids: unknown, count: number): void {
    const fresh = count - this.#texts.length;
    if (fresh === 0) return;
    if (!Array.isArray(ids) || ids.length < fresh) throw malformed('fewer output_ids than completion_tokens');
    for (const id of ids.slice(-fresh)) this.#texts.push(idOf(id, this.#limits.vocabSize));
  }

  #takeCodes(rows: unknown, count: number): void {
    if (rows === undefined || rows === null) return;
    if (!Array.isArray(rows)) throw malformed('audio_codes');
    const listed = rows.map(row => rowOf(row, this.#limits.codeVocabSize));
    const known = this.#codes.length;
    if (known > 0 && listed.length > 0)
      this.#codesAreCumulative ??= this.#codes.every((row, i) => isSame(row, listed[i]));
    this.#codes.push(...listed.slice(this.#codesAreCumulative ? known : 0));
    if (this.#codes.length > count) throw malformed('more audio_codes than completion_tokens');
  }
}

const isSame = (a: MadeStep['codes'], b: MadeStep['codes'] | undefined): boolean =>
  b !== undefined && a.every((code, i) => code === b[i]);

function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what);
  return value as Record<string, unknown>;
}

function codesOf(event: unknown): unknown {
  let value = event;
  for (const key of CODES_IN) value = (value as Record<string, unknown> | null | undefined)?.[key];
  return value;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function idOf(id: unknown, size: number): number {
  if (!Number.isSafeInteger(id) || (id as number) >= size) throw malformed(`an id ${String(id)}`);
  return (id as number) < 0 ? ABSENT : (id as number);
}

function rowOf(row: unknown, size: number): MadeStep['codes'] {
  if (!Array.isArray(row) || row.length !== CODEBOOKS) throw malformed('a step without its four codes');
  const [semantic, ...acoustic] = row.map(id => idOf(id, size));
  return [semantic, acoustic[0], acoustic[1], acoustic[2]];
}

/** `{ type: 'length' }`, or the word alone. */
function reasonOf(reason: unknown): string {
  return String(typeof reason === 'object' ? (reason as { type?: unknown }).type : reason);
}
