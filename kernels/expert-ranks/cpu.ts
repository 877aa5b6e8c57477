import { packing, storedScales, storedValues } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { CreateExpertRanks, ExchangeTimes, Interval } from './index.ts';
import { checkPlacement, checkRanks } from './placement.ts';

/** A thread per rank. */
export const nativeExpertRanks =
  (addon: NativeAddon): CreateExpertRanks =>
  count => {
    checkRanks(count);
    const ranks = addon.createRanks(count);
    const times = new Float64Array(4 + 2 * count);
    return {
      count,
      nowUs: () => addon.nowUs(),
      prepare(experts, hidden, rankOf) {
        checkPlacement(rankOf, experts.length, count);
        const inner = experts.length > 0 ? experts[0].gate.shape[0] : 1;
        const matrices = experts.flatMap(({ gate, up, down }) => [gate, up, down]);
        const exchange = packing(matrices, () =>
          addon.prepareExchange(
            ranks,
            matrices.map(storedValues),
            rankOf,
            hidden,
            inner,
            matrices.map(storedScales),
          ),
        );
        return {
          dispatch(x, rows, routing) {
            addon.dispatch(exchange, x, rows, routing.topK, routing.indices);
            return {
              combine() {
                const out = new Float32Array(rows * hidden);
                addon.combine(exchange, x, routing.weights, out);
                return out;
              },
              times() {
                addon.exchangeTimes(exchange, times);
                return named(times);
              },
            };
          },
        };
      },
    };
  };

function named(times: Float64Array): ExchangeTimes {
  const interval = (at: number): Interval => [times[at], times[at + 1]];
  const ranks = Array.from({ length: times.length / 2 - 2 }, (_, rank) =>
    times[4 + 2 * rank] === 0 ? null : interval(4 + 2 * rank),
  );
  return { dispatch: interval(0), combine: interval(2), ranks };
}
