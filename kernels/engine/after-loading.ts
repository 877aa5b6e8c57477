import { nativeSupport } from '../native/index.ts';

/**
 * What loading leaves behind goes back to the machine: buffers that weights were read into, which a thread at rest
 * would never collect, and what the allocator keeps of them. Collecting needs V8's `--expose-gc` (`serve` sets it).
 */
export function returnMemory(): void {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  nativeSupport().returnMemory?.();
}
