import type { Conv1d } from '../../conv1d/index.ts';
import type { Lstm, LstmState } from '../../lstm/index.ts';
import type { Ops } from '../../ops.ts';
import type { AcousticQuantizer } from '../acoustic-quantizer.ts';
import type { Workspace } from '../workspace.ts';
import type { ConvState } from './streamed-conv1d.ts';
import type { UpsampleBlock } from './upsample-block.ts';

/** Frames that must follow a frame before it can be given: half the kernel of the only centred convolution. */
export const LOOKAHEAD_FRAMES = 3;
/** Width of the kernels that are not of an upsampling block. */
export const EDGE_KERNEL = 2 * LOOKAHEAD_FRAMES + 1;

/** One stretch of speech, bit-equal however its frames are cut. */
export interface GanDecoderStream {
  /**
   * Takes codes [frames × codebooks] without the id offset and gives the samples of the frames that became complete.
   * A rejected push leaves the stream as it was.
   * @throws RuntimeError `gan-decoder.code` | `gan-decoder.frames` | `gan-decoder.finished`
   */
  push(codes: Int32Array): Float32Array;
  /** The samples of the last frames, followed by nothing; the stream accepts no more. */
  finish(): Float32Array;
  /** Gives back what a device holds of it. */
  close?(): void;
}

/** The next codes of a stream, and whether they are its last. No stream stands in two works of one call. */
export interface DecoderWork {
  readonly stream: GanDecoderStream;
  readonly codes: Int32Array;
  readonly finish: boolean;
}

/** What a stream carries from step to step. */
export interface StreamState {
  readonly memory: readonly LstmState[];
  readonly first: ConvState;
  /** Per block. */
  readonly blocks: readonly (readonly ConvState[])[];
  readonly last: ConvState;
  /** @throws RuntimeError of `GanDecoderStream.push` */
  check(codes: Int32Array): void;
  /** It accepts no more. */
  end(): void;
}

export interface MemoryLayer {
  readonly lstm: Lstm;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** The layers of docs/spec/model.md §4.5, without state. */
export interface DecoderNetwork {
  /** Codes of one frame: semantic, then the acoustic stages. */
  readonly codebooks: number;
  readonly semanticEntries: number;
  readonly acousticEntries: number;
  readonly samplesPerFrame: number;
  readonly ops: Ops;
  readonly quantizer: AcousticQuantizer;
  readonly semanticTable: Float32Array;
  readonly semanticWidth: number;
  /** Width of a frame through embedding and memory. */
  readonly width: number;
  readonly memory: readonly MemoryLayer[];
  readonly first: Conv1d;
  readonly blocks: readonly UpsampleBlock[];
  readonly lastAlpha: Float32Array;
  readonly last: Conv1d;
  readonly workspace: Workspace;
}
