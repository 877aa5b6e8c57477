/** One line of docs/validation.md: a value that somebody published, and ours. */
export interface Check {
  readonly quantity: string;
  readonly unit: string;
  readonly published: number;
  readonly simulated: number;
  /** The most that `error` may be, as a share; null where the line only informs. */
  readonly limit: number | null;
  /** Digits after the point that are printed. */
  readonly digits: number;
  /** Of a line that informs and is far off: what the law leaves out. */
  readonly why?: string | undefined;
}

/** Simulated over published, less one. */
export const errorOf = ({ published, simulated }: Check): number => simulated / published - 1;

/** Half a unit of the published value's last digit is no error of ours. */
export function holds(check: Check): boolean {
  if (check.limit === null) return true;
  const rounding = 0.5 * 10 ** -check.digits;
  return Math.abs(check.simulated - check.published) <= check.limit * check.published + rounding;
}
