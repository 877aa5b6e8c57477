/**
 * What of a long conversation its model is to know still (docs/tools.md, *Memory of a long call*): which turns are kept
 * when the context is full, how what is kept is brought before it again, and what is told of the rest. Each part may be
 * replaced (`RuntimeOptions.memory`).
 */
import type { Reminder } from './language-model/index.ts';
import { type Keeps, keepsFacts } from './session/keeping.ts';
import type { ConversationItem } from './session-items.ts';

/**
 * Writes what the model is told of the items that have just left its context, and of those that left it earlier
 * (`before`, which this replaces). An empty text: nothing.
 */
export type Summarise = (items: readonly ConversationItem[], before: string) => string | PromiseLike<string>;

export interface Memory {
  /** How much it matters that the turn of an item stays. It is a rule about words, so of a language. */
  readonly keeps: Keeps;
  /** null: what is kept stays where it was said, however far back that comes to be. */
  readonly reminder: Reminder | null;
  /** null: what has left is not spoken of. */
  readonly summarise: Summarise | null;
}

export const DEFAULT_MEMORY: Memory = {
  keeps: keepsFacts,
  reminder: { afterShare: 1 / 16, beforeTurns: 2 },
  summarise: null,
};
