import { InvalidArgumentError } from 'commander';
import { wholeNumber } from '../options.ts';

const MAX_REPLICATIONS = 1000;

/** For commander's option parsing. */
export function replicationCount(text: string): number {
  const value = wholeNumber(text);
  if (value >= 1 && value <= MAX_REPLICATIONS) return value;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${MAX_REPLICATIONS}.`);
}
