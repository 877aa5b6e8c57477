/**
 * How many positions a context may have, and what goes where there are more: the oldest turns, whole, never the system
 * turn, until as much is left as the policy says, because each drop costs a re-prefill of everything behind it. Turns
 * that are kept go last, and stand before what is left of the others, in their order: to the model they are the
 * beginning of the call.
 */
import type { ContextItem, ItemList } from './item-list.ts';
import type { KeepRank, TruncationPolicy } from './messages.ts';

/** What a drop leaves at most, where nothing else is asked for. */
const KEPT_SHARE = 0.75;
/**
 * Of what there may be, for turns that are kept: beyond it those of lower rank go as any other, then the older ones.
 */
const KEPT_TURNS_SHARE = 0.25;

export type KeptTurns = Map<number, KeepRank>;

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
  kept: KeptTurns = new Map(),
): string[] {
  const dropped: string[] = [];
  const limit = limitOf(items, policy, maxPositions);
  const isOld = ({ role, turn }: ContextItem) => role !== 'system' && turn < currentTurn;
  if (items.length + wanted <= limit || policy.mode === 'disabled') return dropped;
  if (items.lengthOf(item => !isOld(item)) + needed > limit) return dropped;
  const target = Math.max(keptOf(items, policy, maxPositions, limit) - wanted, 0);
  const spared = sparedTurns(items, kept, limit);
  while (items.length > target) {
    const oldest =
      items.items.find(item => isOld(item) && !spared.has(item.turn)) ??
      (items.length + needed > limit ? items.items.find(isOld) : undefined);
    if (!oldest) break;
    const { turn } = oldest;
    kept.delete(turn);
    for (const item of items.items.filter(other => other.role !== 'system' && other.turn === turn)) {
      items.remove(item);
      dropped.push(item.itemId);
    }
  }
  return dropped;
}

/** The kept turns that there is room for, of `limit` positions in all. */
export function sparedTurns(items: ItemList, kept: KeptTurns, limit: number): Set<number> {
  const spared = new Set<number>();
  let length = 0;
  const byWorth = [...kept].sort(([a, rankOfA], [b, rankOfB]) => rankOfB - rankOfA || b - a);
  for (const [turn] of byWorth) {
    length += items.lengthOf(item => item.role !== 'system' && item.turn === turn);
    if (length > limit * KEPT_TURNS_SHARE) break;
    spared.add(turn);
  }
  return spared;
}

/** What a drop leaves at most. */
function keptOf(items: ItemList, policy: TruncationPolicy, maxPositions: number, limit: number): number {
  if (policy.mode !== 'retain') return maxPositions * KEPT_SHARE;
  const system = systemLength(items);
  return system + (limit - system) * policy.share;
}

const systemLength = (items: ItemList): number => items.lengthOf(({ role }) => role === 'system');
