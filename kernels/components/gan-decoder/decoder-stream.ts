import type { LstmState } from '../../lstm/index.ts';
import { checkCodes } from './check-codes.ts';
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
    checkCodes(this.#network, codes, this.#finished);
  }
}
