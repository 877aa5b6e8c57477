export interface Finding {
  readonly what: string;
  readonly found: string;
  /** What the runtime makes of it; a sentence with a remedy where something is missing. */
  readonly meaning: string;
}
