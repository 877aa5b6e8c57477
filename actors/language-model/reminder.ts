import type { ContextItem, ItemList } from './item-list.ts';
import { type KeptTurns, sparedTurns } from './room.ts';

/**
 * A model knows less and less well what stands far back, long before its context is full. Turns that matter most
 * (rank 2) are therefore moved, as they were said, towards its end when others have come between. What follows their
 * old place is prefilled again, while the user begins to speak.
 */
export interface Reminder {
  /** When more than this of the positions that there may be are others' behind the first of them. */
  readonly afterShare: number;
  /** They come to stand before so many of the newest turns: what was said last must stay what was said last. */
  readonly beforeTurns: number;
}

/** To be asked before a turn is begun: then nothing is being made from the context. */
export function remind(
  items: ItemList,
  kept: KeptTurns,
  limit: number,
  { afterShare, beforeTurns }: Reminder,
): void {
  const matter = [...kept].filter(([, rank]) => rank === 2);
  if (matter.length === 0) return;
  const turns = [...new Set(items.items.filter(isSaid).map(({ turn }) => turn))];
  const before = turns.at(-Math.max(1, beforeTurns));
  const place = items.items.findIndex(item => isSaid(item) && item.turn === before);
  const spared = sparedTurns(items, new Map(matter), limit);
  const isMoved = (item: ContextItem) => isSaid(item) && spared.has(item.turn);
  const older = items.items.slice(0, Math.max(0, place));
  const first = older.findIndex(isMoved);
  if (first < 0) return;
  const others = items.items.slice(first).filter(item => !isMoved(item));
  if (others.reduce((sum, { run }) => sum + run.length, 0) <= limit * afterShare) return;
  items.move(older.filter(isMoved), items.items[place]);
}

const isSaid = ({ role }: ContextItem): boolean => role !== 'system';
