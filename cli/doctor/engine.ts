import type { Config } from '../config/schema.ts';
import type { Finding } from './finding.ts';

/** @param wanted the setting */
export function engineFinding(
  wanted: Config['engine'],
  native: { readonly level?: string | null; readonly reason?: string | null },
): Finding {
  const { level, reason } = native;
  if (wanted === 'reference')
    return {
      what: 'engine',
      found: 'reference',
      meaning: 'used and slow, because the setting `engine` says so',
    };
  if (level)
    return { what: 'engine', found: 'cpu', meaning: `used, SIMD level ${level} (LONGCAT_RT_ISA overrides)` };
  if (wanted === 'cpu')
    return {
      what: 'engine',
      found: 'none',
      meaning: `the setting \`engine\` wants cpu, which does not load: ${reason}`,
    };
  return {
    what: 'engine',
    found: 'reference',
    meaning: `used and slow, because the native addon does not load: ${reason}`,
  };
}
