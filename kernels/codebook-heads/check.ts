import { CODEBOOKS } from '../engine/positions.ts';
import { RuntimeError } from '../errors.ts';

/** @throws RuntimeError `codebook-heads.shape` */
export function checkCodebookHeads(heads: readonly unknown[], cascade: readonly unknown[]): void {
  if (heads.length === CODEBOOKS && cascade.length === CODEBOOKS - 1) return;
  const values = { heads: heads.length, cascade: cascade.length };
  throw new RuntimeError(
    'codebook-heads.shape',
    'There are four code heads and three cascade tables.',
    values,
  );
}
