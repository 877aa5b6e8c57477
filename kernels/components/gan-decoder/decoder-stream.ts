import { RuntimeError } from '../../errors.ts';
import type { LstmState } from '../../lstm/index.ts';
import { decodeTogether } from './decode.ts';
import {
  type DecoderNetwork,
  type GanDecoderStream,
  LOOKAHEAD_FRAMES,
  type StreamState,
} from './decoder-parts.ts';
import { type ConvState, zeroHistory } from './streamed-conv1d.ts';

const NO_CODES = new Int32Array(0);

export class DecoderStream implements GanDecoderStream, StreamState {
  readonly #network: DecoderNetwork;
  readonly memory: readonly LstmState[];
  readonly first: ConvState;
  readonly blocks: readonly (readonly ConvState[])[];
  readonly last: ConvState;
  #finished = false;

  constructor(network: DecoderNetwork) {
    const { width, memory, first, blocks, last } = network;
    this.#network = network;
    this.memory = memory.map(() => ({ h: new Float32Array(width), c: new Float32Array(width) }));
    this.first = zeroHistory(first, LOOKAHEAD_FRAMES);
    this.blocks = blocks.map(block => block.initialState());
    this.last = zeroHistory(last);
  }

  push(codes: Int32Array): Float32Array {
    return decodeTogether(this.#network, [{ stream: this, codes, finish: false }])[0];
  }

  finish(): Float32Array {
    return decodeTogether(this.#network, [{ stream: this, codes: NO_CODES, finish: true }])[0];
  }

  end(): void {
    this.#finished = true;
  }

  /** @throws RuntimeError of `GanDecoderStream.push` */
  check(codes: Int32Array): void {
    const { codebooks, semanticEntries, acousticEntries } = this.#network;
    if (this.#finished) {
      throw new RuntimeError('gan-decoder.finished', 'The stream is finished.', {}, 'Open a new stream.');
    }
    if (codes.length % codebooks !== 0) {
      throw new RuntimeError('gan-decoder.frames', 'Codes come in whole frames.', {
        codes: codes.length,
        codebooks,
      });
    }
    for (let i = 0; i < codes.length; i++) {
      const entries = i % codebooks === 0 ? semanticEntries : acousticEntries;
      if (codes[i] >= 0 && codes[i] < entries) continue;
      throw new RuntimeError(
        'gan-decoder.code',
        'A code is outside its codebook.',
        { frame: Math.floor(i / codebooks), codebook: i % codebooks, code: codes[i], entries },
        'Subtract the id offset of 32 and leave out the frames that are not speech.',
      );
    }
  }
}
