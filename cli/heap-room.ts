import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { returnMemory } from '../kernels/engine/after-loading.ts';

/** The heap may grow to three times what lives on it before V8 marks it again; V8's own bound on the whole stays. */
const GROWING_PERCENT = 200;
/** V8's own factor by which the young generation grows; while all is loaded it does not (longcat-rt.js). */
const YOUNG_GROWTH = 2;

/**
 * Fewer full collections for more memory. V8 keeps a heap that is mostly idle within a third of what lives on it, so
 * the 20 ms packets of 16 callers bring a pause of 3–5 ms every other second; with this it is one in twenty seconds.
 */
export function giveHeapRoom(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
  setFlagsFromString('--expose-gc'); // Threads that start from here on can collect what loading left.
}

/** When all is loaded and nobody calls yet: what loading left behind is collected and the heap is made dense. */
export function settleHeap(): void {
  setFlagsFromString('--compact-on-every-full-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-compact-on-every-full-gc');
  setFlagsFromString(`--semi-space-growth-factor=${YOUNG_GROWTH}`);
  returnMemory();
}
