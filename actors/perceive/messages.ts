import type { RgbImage } from '../../kernels/engine/index.ts';
import type { TurnDetection } from '../session-api.ts';
import type { SampledUnit } from './frame-sampler.ts';
import type { SpeechEdge } from './segmenter.ts';

/**
 * Perceive, the ear of a session: audio in; edges of speech and the audio of utterances out, in one order. One per session,
 * driven by the audio itself; the clock is asked only when no audio comes.
 */
export interface PerceivePorts {
  /** 20 ms frames; with manual turn-taking packets of any length. Fails loudly. Unfenced, as is all that the user says. */
  readonly audio: { readonly samples: Float32Array };
  readonly control: PerceiveControl;
}

export type PerceiveControl =
  | { readonly type: 'configured'; readonly turnDetection: TurnDetection }
  /** While the agent speaks an onset needs more evidence. */
  | { readonly type: 'agent.speaks'; readonly speaks: boolean }
  /** The open utterance was committed or thrown away by somebody else. */
  | { readonly type: 'utterance.over' };

export type Edge = {
  readonly type: SpeechEdge['type'];
  /** Where in the audio pushed since the session opened; `speech.started` lies before its prefix padding is taken off. */
  readonly atMs: number;
};

export type Percept =
  | Edge
  /** Audio of the utterance, from its prefix padding on. */
  | { readonly type: 'utterance'; readonly samples: Float32Array };

export type PerceiveOutput =
  | Percept
  /** The first audio of an utterance that a client will commit by hand. */
  | { readonly type: 'manual.started' }
  /** Manual audio beyond the limit is not kept; said once an utterance. */
  | { readonly type: 'manual.full' };

/** Frame sampling, the eye of a session: pictures in; frame units for the vision encoder out (spec/model.md §5.4). */
export interface FrameSamplingPorts {
  /** The live stream. Keeps the newest. */
  readonly video: { readonly frame: RgbImage; readonly capturedAtMs: number };
  readonly control: FrameSamplingControl;
}

export type FrameSamplingControl =
  /** Dense from the next picture on. */
  | { readonly type: 'utterance.began' }
  | { readonly type: 'utterance.grew'; readonly audioMs: number }
  /** The unit of the chunk under way is wanted now, for the tail. */
  | { readonly type: 'flush' }
  /** Sparse from now on. */
  | { readonly type: 'utterance.over' };

export type FrameSamplingOutput =
  | { readonly type: 'sparse'; readonly unit: SampledUnit }
  /** A second of the utterance is full; null when the camera showed nothing in it. */
  | { readonly type: 'chunk'; readonly unit: SampledUnit | null }
  | { readonly type: 'flushed'; readonly unit: SampledUnit };
