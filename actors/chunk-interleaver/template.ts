/** The chat template, piece by piece (docs/spec/model.md §5.1 and §5.6). */
import type { Piece } from './piece.ts';

export const END_OF_TURN = '</longcat_s>';

const text = (value: string): Piece => ({ kind: 'text', text: value });
const quote = (value: string): Piece => ({ kind: 'quote', text: value });

export const USER_HEADER = text('USER:');
export const NEWLINE = text('\n');

export function systemTurn(instructions: string): Piece[] {
  return [text('SYSTEM:'), quote(instructions), text(END_OF_TURN), NEWLINE];
}

export function generationHeader(modality: 'audio' | 'text'): Piece {
  return text(modality === 'audio' ? 'VOICE ASSISTANT:' : 'ASSISTANT:');
}

/** An assistant turn that exists as text only. */
export function assistantTextTurn(value: string): Piece[] {
  return [generationHeader('text'), quote(value), text(END_OF_TURN), NEWLINE];
}

/** A still picture as an item: its vectors, then a newline. */
export function imageItem(vectors: Float32Array, count: number): Piece[] {
  return [{ kind: 'image', vectors, count }, NEWLINE];
}

/** A whole utterance as an item. */
export function audioItem(vectors: Float32Array, count: number): Piece[] {
  return [{ kind: 'audio-begin' }, { kind: 'audio', vectors, count }, { kind: 'audio-end' }];
}
