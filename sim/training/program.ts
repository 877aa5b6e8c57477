/**
 * What a rank does in a training step, as a list that is gone through in order; ranks meet in messages and collectives.
 */

export type Operation =
  | {
      readonly kind: 'work';
      readonly label: string;
      readonly ms: number;
      readonly microBatch?: number;
      /** Bytes that are taken when it begins, and let go when it ends. */
      readonly takes?: number;
      readonly frees?: number;
    }
  /** Does not wait; the message is there after `ms`. */
  | { readonly kind: 'send'; readonly to: number; readonly tag: string; readonly ms: number }
  | { readonly kind: 'receive'; readonly from: number; readonly tag: string }
  /** Begins when all `members` ranks have come to `id`, and takes each of them `ms`. */
  | {
      readonly kind: 'meet';
      readonly id: string;
      readonly members: number;
      readonly label: string;
      readonly ms: number;
      readonly takes?: number;
      readonly frees?: number;
    };

export type Program = readonly Operation[];

export interface OperationSpan {
  readonly rank: number;
  readonly label: string;
  readonly microBatch: number | null;
  readonly startMs: number;
  readonly endMs: number;
}

export interface RankAccount {
  readonly busyMs: number;
  /** Milliseconds by label, collectives included. */
  readonly byLabel: Readonly<Record<string, number>>;
  readonly peakBytes: number;
}

export interface Execution {
  /** When the last rank had ended. */
  readonly ms: number;
  readonly ranks: readonly RankAccount[];
  readonly spans: readonly OperationSpan[];
}
