/**
 * A picture of a few kilobytes may unpack to fifty megabytes, so the process, all its doors and its engine together,
 * works on two at a time.
 */
const MAX_AT_ONCE = 2;

let running = 0;
const waiting: (() => void)[] = [];

/** Whoever waits longest has the next place. */
export async function atMostTwo<T>(work: () => Promise<T>): Promise<T> {
  if (running < MAX_AT_ONCE) running++;
  else await new Promise<void>(resolve => waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
