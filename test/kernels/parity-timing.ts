import type { Ops } from '../../kernels/ops.ts';
import { GuardedMemory, type ParityCase } from './parity.ts';

const LEAST_MS = 4;
const RUNS = 5;

/** One exchange is two calls, of which neither can be repeated alone. */
const NOT_REPEATABLE: readonly (keyof Ops)[] = ['expertRanks'];

/**
 * Time of the innermost call of a case, preparation left out: median of some runs, each of as many calls as fill a few
 * milliseconds. Null where a call cannot be repeated.
 */
export function microsecondsPerCall(parityCase: ParityCase, ops: Ops): number | null {
  if (NOT_REPEATABLE.includes(parityCase.op)) return null;
  let microseconds: number | null = null;
  const timed = (call: () => unknown, isMethod: boolean) => {
    const result = call();
    if (holdsFunctions(result)) return wrapped(result, true);
    // A method that tells a number (how many rows there will be) is not the work.
    if (!isMethod || typeof result !== 'number') microseconds ??= repeated(call);
    return result;
  };
  const wrapped = (value: unknown, isPrepared: boolean): unknown => {
    if (typeof value === 'function') return (...given: unknown[]) => timed(() => value(...given), isPrepared);
    if (!holdsFunctions(value)) return value;
    // Methods may live in the class and need their object.
    return new Proxy(value, {
      get(object, name) {
        const part = Reflect.get(object, name, object);
        return wrapped(typeof part === 'function' ? part.bind(object) : part, isPrepared);
      },
    });
  };
  const operation = { [parityCase.op]: wrapped(ops[parityCase.op], false) };
  parityCase.run({ ...ops, ...operation }, new GuardedMemory(1, parityCase.filling));
  return microseconds;
}

function repeated(call: () => unknown): number {
  const times = Array.from({ length: RUNS }, () => {
    let calls = 0;
    const began = performance.now();
    let took = 0;
    for (let together = 1; took < LEAST_MS; together *= 2) {
      for (let i = 0; i < together; i++) call();
      calls += together;
      took = performance.now() - began;
    }
    return (1000 * took) / calls;
  });
  return times.sort((a, b) => a - b)[RUNS >> 1];
}

/** A prepared operation: an object whose methods, or those of its class, do the work. */
function holdsFunctions(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Array.isArray(value))
    return false;
  const isOfClass = Object.getPrototypeOf(value) !== Object.prototype;
  return isOfClass || Object.values(value).some(part => typeof part === 'function' || holdsFunctions(part));
}
