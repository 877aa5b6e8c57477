/** A seeded random stream; split by purpose so that changing one does not shift the others. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** An independent stream for a purpose; same parent seed and name, same stream. */
  split(purpose: string): Random;
}
