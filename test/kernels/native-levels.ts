import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADDON_PATHS, loadAddon, type NativeAddon } from '../../kernels/native/addon.ts';

/**
 * The addon once per SIMD level that this machine runs, slowest first; empty where it is not built. A process has one
 * level per loaded file, so each is loaded from a copy of its own.
 */
export function addonsOfAllLevels(): NativeAddon[] {
  const built = ADDON_PATHS.find(path => existsSync(path));
  const first = built && loadAddon([built]);
  if (!built || !first || typeof first === 'string') return [];
  const directory = mkdtempSync(join(tmpdir(), 'longcat-levels-'));
  const before = process.env.LONGCAT_RT_ISA;
  try {
    return first.levels.map(level => {
      const copy = join(directory, `${level}.node`);
      copyFileSync(built, copy);
      process.env.LONGCAT_RT_ISA = level;
      const addon = loadAddon([copy]);
      if (typeof addon === 'string') throw new Error(addon);
      return addon;
    });
  } finally {
    if (before === undefined) delete process.env.LONGCAT_RT_ISA;
    else process.env.LONGCAT_RT_ISA = before;
    rmSync(directory, { recursive: true, force: true });
  }
}
