/** docs/spec/model.md §3.2: vector k is the frames [stride·k − left … stride·k + right] side by side, oldest first. */
export interface SpliceLayout {
  readonly left: number;
  readonly right: number;
  readonly stride: number;
}

/** A run of frames of one utterance: [count × width], the first of which is frame number `first`. */
export interface FrameRun {
  readonly data: Float32Array;
  readonly first: number;
  readonly count: number;
  readonly width: number;
}

/**
 * Vectors `firstVector … firstVector + vectors − 1` as [vectors × (left + 1 + right)·width]. A frame before frame 0 or
 * after the last one of the run is replaced by that edge frame, so a caller that streams asks for vectors whose right
 * context is inside the run, or whose run ends with the utterance.
 */
export type Splice = (
  frames: FrameRun,
  layout: SpliceLayout,
  firstVector: number,
  vectors: number,
  out?: Float32Array,
) => Float32Array;
