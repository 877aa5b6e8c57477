import { installHint } from '../programs.ts';
import type { Finding } from './finding.ts';

interface FoundProgram {
  readonly program: string;
  readonly from: string;
  readonly system?: NodeJS.Platform;
}

/** The programs of a kind that are installed; the first of them is tried first. */
export function programsFinding(
  what: string,
  candidates: readonly FoundProgram[],
  use: string,
  find: (program: string) => string | null,
): Finding {
  const here = candidates.filter(({ system }) => system === undefined || system === process.platform);
  const found = here.filter(({ program }) => find(program) !== null).map(({ program }) => program);
  if (found.length > 0) return { what, found: found.join(', '), meaning: use };
  return { what, found: 'none', meaning: `optional: ${use}; for example: ${installHint(here[0].from)}` };
}
