/** A component for the engine's tests: adds up what it is given, and does as it is told when it should fail. */
export interface AddingWork {
  readonly stream: number;
  readonly value: number;
  readonly fate?: 'throw' | 'crash' | 'hang' | 'until-closed';
}

export const streamOf = (work: AddingWork): number => work.stream;

export function loadService(options: { readonly refuses?: boolean }) {
  if (options.refuses) throw new Error('The weights are of another world.');
  const sums = new Map<number, number>();
  return {
    open: (stream: number) => void sums.set(stream, 0),
    close: (stream: number) => void sums.delete(stream),
    fork: (stream: number, copy: number) => void sums.set(copy, sums.get(stream)!),
    truncate: (stream: number, length: number) => {
      if (length > sums.get(stream)!) throw new Error('It is not that long.');
      sums.set(stream, length);
    },
    step: (batch: readonly AddingWork[], isClosed: (stream: number) => boolean) =>
      batch.map(({ stream, value, fate }) => {
        if (fate === 'crash') process.exit(7);
        if (fate === 'throw') throw new Error('No, not this one.');
        if (fate === 'hang') for (;;);
        if (fate === 'until-closed') while (!isClosed(stream));
        sums.set(stream, sums.get(stream)! + value);
        return { sum: Float32Array.of(sums.get(stream)!) };
      }),
  };
}
