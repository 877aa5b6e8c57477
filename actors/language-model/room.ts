/**
 * How many positions a context may have, and what goes where there are more: the oldest turns, whole, never the system turn, until as
 * much is left as the policy says, because each drop costs a re-prefill of everything behind it.
 */
import type { ContextItem, ItemList } from './item-list.ts';
import type { TruncationPolicy } from './messages.ts';

/** What a drop leaves at most, where nothing else is asked for. */
const KEPT_SHARE = 0.75;

/** Positions that there may be: the model's, or those that the policy leaves after the system turns. */
export function limitOf(items: ItemList, policy: TruncationPolicy, maxPositions: number): number {
  if (policy.mode !== 'retain' || policy.maxPositions === undefined) return maxPositions;
  return Math.min(maxPositions, systemLength(items) + policy.maxPositions);
}

/**
 * Drops turns before `currentTurn`, where that helps: `needed` more positions have to fit, `wanted` are better.
 * Returns the items that went.
 */
export function dropOldTurns(
  items: ItemList,
  policy: TruncationPolicy,
  maxPositions: number,
  {
    needed,
    wanted,
    currentTurn,
  }: { readonly needed: number; readonly wanted: number; readonly currentTurn: number },
): string[] {
  const dropped: string[] = [];
  const limit = limitOf(items, policy, maxPositions);
  const isOld = ({ role, turn }: ContextItem) => role !== 'system' && turn < currentTurn;
  if (items.length + wanted <= limit || policy.mode === 'disabled') return dropped;
  if (items.lengthOf(item => !isOld(item)) + needed > limit) return dropped;
  const target = Math.max(keptOf(items, policy, maxPositions, limit) - wanted, 0);
  while (items.length > target) {
    const oldest = items.items.find(isOld);
    if (!oldest) break;
    const { turn } = oldest;
    for (const item of items.items.filter(other => other.role !== 'system' && other.turn === turn)) {
      items.remove(item);
      dropped.push(item.itemId);
    }
  }
  return dropped;
}

/** What a drop leaves at most. */
function keptOf(items: ItemList, policy: TruncationPolicy, maxPositions: number, limit: number): number {
  if (policy.mode !== 'retain') return maxPositions * KEPT_SHARE;
  const system = systemLength(items);
  return system + (limit - system) * policy.share;
}

const systemLength = (items: ItemList): number => items.lengthOf(({ role }) => role === 'system');
