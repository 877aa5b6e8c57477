/** One hop of a turn. */
export interface TraceMark {
  readonly session: string;
  readonly turn: number;
  readonly cause: string;
  readonly atMs: number;
}

/** Collects the marks of which a turn's closed account (waterfall) is made. */
export interface Tracer {
  mark(session: string, turn: number, cause: string, atMs: number): void;
}

/** A turn's account: milliseconds between the user's last speech sample and the first heard sample, one cause each. */
export interface Waterfall {
  readonly turn: number;
  readonly entries: readonly { readonly cause: string; readonly ms: number }[];
  readonly totalMs: number;
}
