import { SingleBar } from 'cli-progress';

/** A bar for work whose share done is known; it disappears at the end. */
export function progressBar(): { update(share: number): void; stop(): void } {
  const bar = new SingleBar({
    format: '{bar} {percentage} % | {eta_formatted} left',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  bar.start(1000, 0);
  return { update: share => bar.update(Math.floor(share * 1000)), stop: () => bar.stop() };
}
