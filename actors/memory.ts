/**
 * What of a long conversation its model is to know still (docs/tools.md, *Memory of a long call*): which turns are kept
 * when the context is full, and how what is kept is brought before it again. Each part may be replaced
 * (`RuntimeOptions.memory`).
 */
import type { Reminder } from './language-model/index.ts';
import { type Keeps, keepsFacts } from './session/keeping.ts';

export interface Memory {
  /** How much it matters that the turn of an item stays. It is a rule about words, so of a language. */
  readonly keeps: Keeps;
  /** null: what is kept stays where it was said, however far back that comes to be. */
  readonly reminder: Reminder | null;
}

export const DEFAULT_MEMORY: Memory = {
  keeps: keepsFacts,
  reminder: { afterShare: 1 / 16, beforeTurns: 2 },
};
