/** Serves a component in its thread as the engine's own module does, and fails when the other thread says so. */
import type { IsClosed, Service } from '../../kernels/engine/service.ts';

export const FAULTS = ['kill', 'throw', 'hang', 'slow'] as const;
export type Fault = (typeof FAULTS)[number];
/** Of a slow step: longer than half the default deadline, so that it is told, and shorter than the whole. */
export const SLOW_MS = 180;

export interface FaultyOptions {
  /** The module that is disturbed, and what it is loaded from. */
  readonly entry: string;
  readonly options: unknown;
  /** [0]: the fault of the next step, from 1 in the order of `FAULTS`; 0: none. [1]: never changes. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

type AnyWork = { readonly sequence?: number; readonly stream?: number };

export const streamOf = (work: AnyWork): number | null => work.sequence ?? work.stream ?? null;

export async function loadService(given: FaultyOptions): Promise<Service<AnyWork, unknown>> {
  const { entry, options, control } = given;
  const inner: Service<AnyWork, unknown> = (await import(entry)).loadService(options);
  return {
    open: stream => inner.open?.(stream),
    close: stream => inner.close?.(stream),
    fork: (stream, copy) => inner.fork?.(stream, copy),
    truncate: (stream, length) => inner.truncate?.(stream, length),
    step: (batch, isClosed: IsClosed) => {
      const number = Atomics.exchange(control, 0, 0);
      if (number > 0) fail(FAULTS[number - 1], control);
      return inner.step(batch, isClosed);
    },
  };
}

function fail(fault: Fault, control: Int32Array<SharedArrayBuffer>): void {
  if (fault === 'kill') process.exit(7);
  else if (fault === 'throw') throw new Error('A fault of the benchmark.');
  else Atomics.wait(control, 1, 0, fault === 'hang' ? Number.POSITIVE_INFINITY : SLOW_MS);
}
