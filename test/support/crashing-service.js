/**
 * A component for the engine's tests: adds up what it is given, and does as it is told when it should fail. JavaScript,
 * so that a thread has it at once.
 *
 * @typedef {{
 *   readonly stream: number,
 *   readonly value: number,
 *   readonly fate?: 'throw' | 'crash' | 'hang' | 'until-closed',
 * }} AddingWork
 */

/** @type {(work: AddingWork) => number} */
export const streamOf = work => work.stream;

/** @param {{ readonly refuses?: boolean }} options */
export function loadService(options) {
  if (options.refuses) throw new Error('The weights are of another world.');
  /** @type {Map<number, number>} */
  const sums = new Map();
  /** @param {number} stream */
  const sumOf = stream => /** @type {number} */ (sums.get(stream));
  return {
    /** @param {number} stream */
    open: stream => void sums.set(stream, 0),
    /** @param {number} stream */
    close: stream => void sums.delete(stream),
    /** @param {number} stream @param {number} copy */
    fork: (stream, copy) => void sums.set(copy, sumOf(stream)),
    /** @param {number} stream @param {number} length */
    truncate: (stream, length) => {
      if (length > sumOf(stream)) throw new Error('It is not that long.');
      sums.set(stream, length);
    },
    /** @param {readonly AddingWork[]} batch @param {(stream: number) => boolean} isClosed */
    step: (batch, isClosed) =>
      batch.map(({ stream, value, fate }) => {
        if (fate === 'crash') process.exit(7);
        if (fate === 'throw') throw new Error('No, not this one.');
        if (fate === 'hang') for (;;);
        if (fate === 'until-closed') while (!isClosed(stream));
        sums.set(stream, sumOf(stream) + value);
        return { sum: Float32Array.of(sumOf(stream)) };
      }),
  };
}
