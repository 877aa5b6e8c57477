import type { Picture } from '../../kernels/engine/index.ts';
import type { TurnDetection } from '../session-api.ts';
import type { SampledUnit } from './frame-sampler.ts';
import type { SpeechEdge } from './segmenter.ts';

/**
 * Perceive, the ear of a session: audio in; edges of speech and the audio of utterances out, in one order. One per
 * session, driven by the audio itself; the clock is asked only when no audio comes.
 */
export interface PerceivePorts {
  /**
   * A packet of whole 20 ms frames, with manual turn-taking of any length. Fails loudly. Unfenced, as is all that the
   * user says. Control that comes of a frame is served before the next one. `lost`: put in for what never came; it
   * belongs to an utterance that is under way, and is no sound to whoever learns from sound. `isVoiceless`: the
   * sender, who tells voices, heard none in it.
   */
  readonly audio: {
    readonly samples: Float32Array;
    readonly lost?: boolean;
    readonly isVoiceless?: boolean;
  };
  readonly control: PerceiveControl;
}

export type PerceiveControl =
  | { readonly type: 'configured'; readonly turnDetection: TurnDetection }
  /** While the agent speaks an onset needs more evidence; */
  | { readonly type: 'agent.speaks'; readonly speaks: boolean }
  /** where somebody weighs it, it is given frame by frame. */
  | { readonly type: 'weighed'; readonly weighed: boolean }
  /**
   * What the evidence came to: the sound takes the turn, or it does not and is no concern of ours until it stops; with
   * `lookAgain`, or until it has gone on for much longer than that.
   */
  | { readonly type: 'decided'; readonly takesTurn: boolean; readonly lookAgain: boolean }
  /** The model's estimate: the present silence ends the turn when it has lasted this long. */
  | { readonly type: 'endpoint'; readonly silenceMs: number }
  /**
   * The agent's sound, with the session-clock time at which it reaches the ear; and the end of what was still to come.
   */
  | { readonly type: 'played'; readonly samples: Float32Array; readonly atMs: number }
  | { readonly type: 'silenced'; readonly atMs: number }
  /** The open utterance was committed or thrown away by somebody else. */
  | { readonly type: 'utterance.over' };

export type Edge = {
  readonly type: SpeechEdge['type'];
  /**
   * Where in the audio pushed since the session opened; `speech.started` lies before its prefix padding is taken off.
   */
  readonly atMs: number;
};

/** What is known of the sound that may take the turn from the agent, after each of its frames. */
export interface SoundEvidence {
  readonly type: 'evidence';
  /** Since its onset. */
  readonly lastedMs: number;
  readonly speechMs: number;
  /** Of `speechMs`, what had a pitch; null where the detector cannot tell. */
  readonly voicedMs: number | null;
  /** How much like a voice its speech was, on the whole, 0–1; null where the detector cannot tell. */
  readonly likeness: number | null;
  /** Silence since its last speech, and whether that is enough for it to be over. */
  readonly quietMs: number;
  readonly ended: boolean;
  /** Against this user's own turns, of all of it and of its last 60 ms; null before the first of them. */
  readonly relativeDb: number | null;
  readonly recentDb: number | null;
}

export interface LineHeard {
  readonly type: 'line';
  readonly telephone: boolean;
}

export type PerceiveOutput =
  | Edge
  | SoundEvidence
  /** Audio of the utterance, from its prefix padding on: what one packet holds of it between two edges. */
  | { readonly type: 'utterance'; readonly samples: Float32Array }
  /** What the line is heard to be, when that changes; until then it is none. */
  | LineHeard
  /** The first audio of an utterance that a client will commit by hand. */
  | { readonly type: 'manual.started' }
  /** Manual audio beyond the limit is not kept; said once an utterance. */
  | { readonly type: 'manual.full' };

/**
 * Frame sampling, the eye of a session: pictures in; frame units for the vision encoder out (docs/spec/model.md §5.4).
 */
export interface FrameSamplingPorts {
  /** The live stream. Keeps the newest. */
  readonly video: { readonly frame: Picture; readonly capturedAtMs: number };
  readonly control: FrameSamplingControl;
}

export type FrameSamplingControl =
  /** Dense from the next picture on. */
  | { readonly type: 'utterance.began' }
  | { readonly type: 'utterance.grew'; readonly audioMs: number }
  /** The unit of the chunk under way is wanted now, for the tail. */
  | { readonly type: 'flush' }
  /** A reply is asked for without speech: what the camera shows now is wanted. */
  | { readonly type: 'look' }
  /** Sparse from now on. */
  | { readonly type: 'utterance.over' };

export type FrameSamplingOutput =
  | { readonly type: 'sparse'; readonly unit: SampledUnit }
  /** A second of the utterance is full; null when the camera showed nothing in it. */
  | { readonly type: 'chunk'; readonly unit: SampledUnit | null }
  | { readonly type: 'flushed'; readonly unit: SampledUnit }
  /** Null: nothing that was not shown. */
  | { readonly type: 'looked'; readonly unit: SampledUnit | null };
