/**
 * What docs/spec/remote.md §1 leaves open of the makers' SGLang server, and every bound on it, by name and in this one
 * place. Marked UNVERIFIED: nobody here has run that server; a test peer that speaks the same words is all these have
 * been tried against.
 */

/** Of the server's HTTP. */
export const PATHS = {
  generate: '/generate',
  abort: '/abort_request',
  health: '/health',
} as const;

/**
 * Where a step's code ids stand in an event. UNVERIFIED: that they come with every event and not with the last alone.
 */
export const CODES_IN = ['aux_info', 'audio_codes'] as const;

/** As in the makers' demo: the engine reports the end's id for steps without text, so that id ends nothing. */
export const IGNORES_EOS = true;

/** Steps of one reply at most, as in the makers' demo; what ends it earlier is our own count, and an abort. */
export const MOST_NEW_TOKENS = 4096;

export interface SglangSettings {
  /**
   * How exactly vectors are written. `bf16`: the shortest decimal that is the same bfloat16, which is what the server
   * computes in (UNVERIFIED: that it rounds to nearest); `f32`: nine digits, the same float32.
   */
  readonly vectors: 'bf16' | 'f32';
  /** So long a server may take to be healthy when the runtime starts. */
  readonly startMs: number;
  /** It is asked so often whether it is healthy, */
  readonly healthEveryMs: number;
  /** and is not where it has not said so after this. */
  readonly healthMs: number;
  /** Of a reply: its first step is here after so long and */
  readonly firstStepMs: number;
  /** so long for each position of its context; */
  readonly perPositionMs: number;
  /** every other after this. */
  readonly nextStepMs: number;
  /** So long it may take to hear of an abort. */
  readonly abortMs: number;
  /** Replies at once; others wait. The makers' server has CUDA graphs for 16. */
  readonly maxReplies: number;
  /**
   * Of contexts that are kept as text, all sessions together: 40 kB a position; beyond it they are written for each
   * reply anew.
   */
  readonly maxWrittenBytes: number;
  /** One event; with cumulative output it grows with the reply. */
  readonly maxEventBytes: number;
}

export const SGLANG_DEFAULTS: SglangSettings = {
  vectors: 'bf16',
  startMs: 10_000,
  healthEveryMs: 5000,
  healthMs: 2000,
  firstStepMs: 5000,
  perPositionMs: 2,
  nextStepMs: 3000,
  abortMs: 2000,
  maxReplies: 64,
  maxWrittenBytes: 2 * 1024 * 1024 * 1024,
  maxEventBytes: 16 * 1024 * 1024,
};
