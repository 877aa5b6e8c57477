import { RuntimeError } from '../../kernels/errors.ts';

/** A frame that costs itself. */
export function badFrame(message: string, values: Readonly<Record<string, unknown>> = {}): RuntimeError {
  return new RuntimeError('carrier.bad_frame', message, values);
}
