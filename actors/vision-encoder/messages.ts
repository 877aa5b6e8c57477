import type { Picture } from '../../kernels/engine/index.ts';

/**
 * Vision encoder: one per process; frame units of all sessions batched, units of one session in order
 * (docs/spec/model.md §2.3). Live video keeps the newest units of each session when the encoder cannot follow; pictures
 * of conversation items are never dropped and go first.
 */
export interface VisionEncoderPorts {
  /** Live units: the oldest waiting unit of the session gives way to a new one. Unfenced. */
  readonly video: VisionUnit;
  /** Pictures that are conversation items: bounded, the surplus fails. Unfenced. */
  readonly picture: VisionUnit;
  readonly control: VisionEncoderControl;
}

export interface VisionUnit {
  /** Chosen by the sender, unique within the session. */
  readonly unitId: string;
  /** A still (duplicated in time) or a pair of frames. */
  readonly frames: readonly [Picture] | readonly [Picture, Picture];
  /** 0 = no bound. */
  readonly maxTokens: number;
  /** Session-clock time of the first frame; carried through. */
  readonly capturedAtMs: number;
}

type VisionEncoderControl = { readonly type: 'close' };

/** Exactly one answer per unit. */
export type VisionEncoderOutput =
  | {
      readonly type: 'unit';
      readonly unitId: string;
      readonly capturedAtMs: number;
      /** [count × hidden]. */
      readonly vectors: Float32Array;
      readonly count: number;
      /** Token grid [rows, columns]. */
      readonly grid: readonly [number, number];
    }
  /** Gave way to a newer unit. */
  | { readonly type: 'dropped'; readonly unitId: string }
  | { readonly type: 'failed'; readonly unitId: string; readonly code: string; readonly message: string };
