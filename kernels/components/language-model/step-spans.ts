import type { ExchangeTimes, Interval } from '../../expert-ranks/index.ts';

/** What a layer of a step spent its time on; `expert` on the rank's own thread, beside `dense`. */
export interface StepSpan {
  readonly layer: number;
  readonly part: 'dispatch' | 'expert' | 'dense' | 'combine';
  /** Of `expert`, else null. */
  readonly rank: number | null;
  /** Since the step's first span. */
  readonly beganUs: number;
  readonly endedUs: number;
}

/** Collects the spans of one step of a model whose experts are on ranks. */
export class StepSpans {
  readonly #spans: StepSpan[] = [];

  /** `dense`: everything the layer did between dispatch and combine. */
  add(layer: number, { dispatch, combine, ranks }: ExchangeTimes, dense: Interval): void {
    this.#push(layer, 'dispatch', null, dispatch);
    ranks.forEach((interval, rank) => {
      if (interval) this.#push(layer, 'expert', rank, interval);
    });
    this.#push(layer, 'dense', null, dense);
    this.#push(layer, 'combine', null, combine);
  }

  /** In the order of layers; within a layer dispatch, experts, dense, combine. */
  list(): StepSpan[] {
    const origin = Math.min(...this.#spans.map(({ beganUs }) => beganUs));
    return this.#spans.map(span => ({
      ...span,
      beganUs: span.beganUs - origin,
      endedUs: span.endedUs - origin,
    }));
  }

  #push(layer: number, part: StepSpan['part'], rank: number | null, [beganUs, endedUs]: Interval): void {
    this.#spans.push({ layer, part, rank, beganUs, endedUs });
  }
}
