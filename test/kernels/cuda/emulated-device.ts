import { spawnSync } from 'node:child_process';
import { type CudaAddon, loadCudaAddon } from '../../../kernels/native/cuda/addon.ts';
import { buildEmulation } from '../../../kernels/native/cuda/build.js';

/** Why the emulation cannot be built here, or null; a test that needs it says so and is left out. */
export const NO_EMULATION: string | null =
  spawnSync(process.env.CXX ?? 'g++', ['--version']).status === 0 ? null : 'no C++ compiler';

/** Half a minute of a processor, which a busy machine may not have. */
export const BUILD_MS = 900_000;

/** The emulated library; `checked` looks for races, unwritten memory and addresses outside, and is slower. */
export async function emulatedAddon(flavour: 'plain' | 'checked'): Promise<CudaAddon> {
  const addon = loadCudaAddon([process.env.LONGCAT_RT_CUDA ?? (await buildEmulation(flavour))]);
  if (typeof addon === 'string') throw new Error(addon);
  return addon;
}
