import type { Ops } from '../ops.ts';
import { loadAddon } from './addon.ts';
import { nativeOps } from './native-ops.ts';

/** What a machine brings to the `cpu` engine: its operations and level, or why there are none. */
export type NativeSupport =
  | {
      readonly ops: Ops;
      readonly level: string;
      readonly reason: null;
      /** Threads that a kernel may use, this one included; never fewer than before. */
      growPool(threads: number): void;
      /** What was freed goes back to the machine. */
      returnMemory(): void;
    }
  | {
      readonly ops: null;
      readonly level: null;
      readonly reason: string;
      readonly growPool?: never;
      readonly returnMemory?: never;
    };

let support: NativeSupport | null = null;

/** Loads the addon once per thread. */
export function nativeSupport(): NativeSupport {
  if (support) return support;
  const addon = loadAddon();
  support =
    typeof addon === 'string'
      ? { ops: null, level: null, reason: addon }
      : {
          ops: nativeOps(addon),
          level: addon.level as string,
          reason: null,
          growPool: threads => void addon.growPool(threads),
          returnMemory: () => addon.returnMemory(),
        };
  return support;
}
