/**
 * A context is written as pieces (docs/spec/model.md §5.1): each text piece is tokenised on its own, pad runs take
 * encoder vectors, and the ids are concatenated.
 */
import type { Positions, SpecialTokens, Tokenizer } from '../../kernels/engine/index.ts';
import { CODE_PAD, CODEBOOKS } from '../../kernels/engine/index.ts';

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /**
   * Text from outside: a string in it that stands for a token with a role is left out, or it could forge the template.
   */
  | { readonly kind: 'quote'; readonly text: string }
  /** Text whose ids are known already. */
  | { readonly kind: 'ids'; readonly ids: readonly number[] }
  | { readonly kind: 'audio-begin' }
  | { readonly kind: 'audio-end' }
  /** [count × hidden] encoder vectors. */
  | { readonly kind: 'audio' | 'image'; readonly vectors: Float32Array; readonly count: number };

/** Input tokens by modality, for the usage account. */
export interface TokenCount {
  readonly text: number;
  readonly audio: number;
  readonly image: number;
}

export const NO_TOKENS: TokenCount = { text: 0, audio: 0, image: 0 };

export function addTokens(a: TokenCount, b: TokenCount): TokenCount {
  return { text: a.text + b.text, audio: a.audio + b.audio, image: a.image + b.image };
}

export function subtractTokens(a: TokenCount, b: TokenCount): TokenCount {
  return { text: a.text - b.text, audio: a.audio - b.audio, image: a.image - b.image };
}

export function toPositions(
  pieces: readonly Piece[],
  tokenizer: Tokenizer,
  tokens: SpecialTokens,
): { readonly positions: Positions; readonly count: TokenCount } {
  const ids: number[] = [];
  const features: Float32Array[] = [];
  let audio = 0;
  let image = 0;
  for (const piece of pieces) {
    if (piece.kind === 'quote') for (const id of quotedIds(piece.text, tokenizer, tokens)) ids.push(id);
    else if (piece.kind === 'ids') for (const id of piece.ids) ids.push(id);
    else if (piece.kind === 'text') for (const id of tokenizer.encode(piece.text)) ids.push(id);
    else if (piece.kind === 'audio-begin') ids.push(tokens.audioBegin);
    else if (piece.kind === 'audio-end') ids.push(tokens.audioEnd);
    else {
      const pad = piece.kind === 'audio' ? tokens.audioPad : tokens.imagePad;
      for (let i = 0; i < piece.count; i++) ids.push(pad);
      features.push(piece.vectors);
      if (piece.kind === 'audio') audio += piece.count;
      else image += piece.count;
    }
  }
  const positions = {
    textIds: Int32Array.from(ids),
    codes: new Int32Array(ids.length * CODEBOOKS).fill(CODE_PAD),
    features: concatVectors(features),
  };
  return { positions, count: { text: ids.length - audio - image, audio, image } };
}

/** Ids of text from outside, without those that have a role. */
export function quotedIds(text: string, tokenizer: Tokenizer, tokens: SpecialTokens): number[] {
  const roles = new Set<number | null>(Object.values(tokens).flat());
  return tokenizer.encode(text).filter(id => !roles.has(id));
}

export function concatVectors(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * `second{3.0}:` (docs/spec/model.md §5.2). Ties at the first decimal go to the even digit, as the reference prints
 * them.
 */
export function stamp(seconds: number): string {
  const tenths = seconds * 10;
  const tie = Math.abs(tenths % 1) === 0.5 && Number.isInteger(seconds * 4);
  const rounded = tie ? 2 * Math.round(tenths / 2) : Math.round(tenths);
  return `second{${(tie ? rounded / 10 : seconds).toFixed(1)}}:`;
}
