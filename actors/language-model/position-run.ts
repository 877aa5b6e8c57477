import { ABSENT, CODEBOOKS, type Positions, type SpecialTokens } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { TokenCount } from '../chunk-interleaver/index.ts';

export type PadIds = Pick<SpecialTokens, 'audioPad' | 'imagePad'>;

/** What a context must know of the model to count positions and features. */
export interface PositionLayout {
  readonly hiddenSize: number;
  /** Text ids that take a feature vector instead of an embedding (audio and image pad). */
  readonly featureIds: ReadonlySet<number>;
}

const FIRST_CAPACITY = 32;
/** A spoken sentence or two. */
export const REPLY_CAPACITY = 128;
const NO_FEATURES = new Float32Array(0);

/** A growing run of positions that can be cut and sliced; features stay with the positions that consume them. */
export class PositionRun {
  readonly #layout: PositionLayout;
  #length = 0;
  /** 1 where the decode rule applies. */
  #isDecode: Uint8Array;
  #textIds: Int32Array<ArrayBuffer>;
  #codes: Int32Array<ArrayBuffer>;
  /** [n] feature rows consumed before each position. */
  #featuresBefore: Int32Array<ArrayBuffer>;
  #features = new Float32Array(0);
  #featureRows = 0;
  #generated: Positions | null = null;

  /** `capacity`: positions that are likely to come; more are welcome. */
  constructor(layout: PositionLayout, capacity = FIRST_CAPACITY) {
    this.#layout = layout;
    this.#isDecode = new Uint8Array(capacity);
    this.#textIds = new Int32Array(capacity);
    this.#codes = new Int32Array(capacity * CODEBOOKS);
    this.#featuresBefore = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The first `to` positions by what they carry: a generated one that carries text and sound counts as text. */
  count(to: number, { audioPad, imagePad }: PadIds): TokenCount {
    let [text, audio, image] = [0, 0, 0];
    for (let i = 0; i < Math.min(to, this.#length); i++) {
      const id = this.#textIds[i];
      if (id === ABSENT || (id === audioPad && this.#isDecode[i] === 0)) audio++;
      else if (id === imagePad && this.#isDecode[i] === 0) image++;
      else text++;
    }
    return { text, audio, image };
  }

  append(positions: Positions): void {
    const count = positions.textIds.length;
    this.#reserve(this.#length + count);
    this.#textIds.set(positions.textIds, this.#length);
    this.#codes.set(positions.codes, this.#length * CODEBOOKS);
    this.#appendFeatures(positions.features);
    const isDecode = positions.rule === 'decode';
    this.#isDecode.fill(isDecode ? 1 : 0, this.#length, this.#length + count);
    let rows = this.#featureRows;
    for (let i = 0; i < count; i++) {
      this.#featuresBefore[this.#length + i] = rows;
      if (!isDecode && this.#layout.featureIds.has(positions.textIds[i])) rows++;
    }
    this.#featureRows = rows;
    this.#length += count;
  }

  /** One generated step, as the decode rule reads it. */
  appendStep(textId: number, codes: readonly number[]): void {
    const at = this.#length;
    this.#reserve(at + 1);
    this.#textIds[at] = textId;
    for (let i = 0; i < CODEBOOKS; i++) this.#codes[at * CODEBOOKS + i] = codes[i];
    this.#isDecode[at] = 1;
    this.#featuresBefore[at] = this.#featureRows;
    this.#length = at + 1;
  }

  /** Forgets everything from position `length` on. */
  cut(length: number): void {
    if (length >= this.#length) return;
    this.#featureRows = this.#featuresBefore[length];
    this.#length = length;
  }

  /**
   * Positions from `from` (which exists), at most up to `limit`, as far as one rule applies to them. Copies, but for a
   * single generated step: that one is good until the next, which comes after the engine has answered.
   */
  slice(from: number, limit: number): Positions {
    if (limit === from + 1 && this.#isDecode[from] === 1) return this.#step(from);
    let to = from + 1;
    while (to < Math.min(limit, this.#length) && this.#isDecode[to] === this.#isDecode[from]) to++;
    const { hiddenSize } = this.#layout;
    const firstRow = this.#featuresBefore[from];
    const endRow = to < this.#length ? this.#featuresBefore[to] : this.#featureRows;
    return {
      textIds: this.#textIds.slice(from, to),
      codes: this.#codes.slice(from * CODEBOOKS, to * CODEBOOKS),
      features:
        firstRow === endRow ? NO_FEATURES : this.#features.slice(firstRow * hiddenSize, endRow * hiddenSize),
      rule: this.#isDecode[from] ? 'decode' : 'prompt',
    };
  }

  /** One generated step: what nearly every slice is. */
  #step(at: number): Positions {
    this.#generated ??= {
      textIds: new Int32Array(1),
      codes: new Int32Array(CODEBOOKS),
      features: NO_FEATURES,
      rule: 'decode',
    };
    const { textIds, codes } = this.#generated;
    textIds[0] = this.#textIds[at];
    for (let i = 0; i < CODEBOOKS; i++) codes[i] = this.#codes[at * CODEBOOKS + i];
    return this.#generated;
  }

  #appendFeatures(features: Float32Array): void {
    if (features.length === 0) return;
    const used = this.#featureRows * this.#layout.hiddenSize;
    const needed = used + features.length;
    if (needed > this.#features.length) {
      const grown = new Float32Array(Math.max(needed, Math.ceil(this.#features.length * 1.5)));
      grown.set(this.#features.subarray(0, used));
      this.#features = grown;
    }
    this.#features.set(features, used);
  }

  #reserve(length: number): void {
    if (length <= this.#textIds.length) return;
    const capacity = Math.max(length, this.#textIds.length * 2);
    this.#textIds = grow(this.#textIds, capacity);
    this.#codes = grow(this.#codes, capacity * CODEBOOKS);
    this.#featuresBefore = grow(this.#featuresBefore, capacity);
    const rules = new Uint8Array(capacity);
    rules.set(this.#isDecode);
    this.#isDecode = rules;
  }
}

function grow(array: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity);
  grown.set(array);
  return grown;
}

/** Throws where the three arrays do not belong together; returns the number of positions. */
export function countPositions(positions: Positions, layout: PositionLayout): number {
  const count = positions.textIds.length;
  let features = 0;
  if (positions.rule !== 'decode')
    for (const id of positions.textIds) if (layout.featureIds.has(id)) features++;
  const given = positions.features.length / layout.hiddenSize;
  if (positions.codes.length !== count * CODEBOOKS || given !== features) {
    const values = {
      textIds: count,
      codes: positions.codes.length,
      featureRows: given,
      featurePositions: features,
    };
    throw new RuntimeError(
      'context.malformed',
      'Text ids, codes and features of positions disagree.',
      values,
    );
  }
  return count;
}
