/** What a modelled engine is made from. */
import type { Clock, Random } from '../../actors/core/index.ts';
import type { CostLaw } from './cost-law.ts';
import type { Window } from './device.ts';
import type { KvMemory } from './memory.ts';
import type { Outages } from './outages.ts';
import type { ReplyLaw } from './reply-script.ts';

export interface DevicePlan {
  readonly name: string;
  /** Steps that it can work on at once. */
  readonly servers: number;
}

export type StageName =
  | 'languageModel'
  | 'prefill'
  | 'audioEncoder'
  | 'visionEncoder'
  | 'speechTokenizer'
  | 'ganDecoder';

export interface ModelledEngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly law: CostLaw;
  readonly devices: readonly DevicePlan[];
  /** Device of each stage by name; stages on the same device contend for it. `prefill` apart = disaggregated. */
  readonly placement: Readonly<Record<StageName, string>>;
  readonly replies: ReplyLaw;
  readonly tokensPerPicture: number;
  /**
   * `deferred`: what arrives costs nothing until a prediction is wanted, then all of it (no prefill while listening).
   */
  readonly prefill: 'arriving' | 'deferred';
  readonly maxPositions: number;
  readonly speech: { readonly frameMs: number; readonly lookAheadFrames: number };
  /** Whether it says how likely the user goes on. */
  readonly judges: boolean;
  /** Told how long each context is. */
  readonly memory: KvMemory | null;
  readonly outages: Outages;
  /** When the devices count. */
  readonly window?: Window;
}
