/** What a client asks for is checked before anything is changed; the error says what to do instead. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { ItemContent } from '../session-api.ts';
import type { Conversation } from './conversation.ts';
import type { Reply } from './reply.ts';
import type { Turns } from './turns.ts';
import type { UserTurn } from './user-turn.ts';

/** The turn to commit; error `input.empty`. */
export function checkCommit({ listening: { turn } }: Turns): UserTurn {
  if (turn && turn.sampleCount > 0) return turn;
  throw new RuntimeError('input.empty', 'There is no buffered audio to commit.', {}, 'Push audio first.');
}

/** Error `response.active`. */
export function checkCreate({ speaking: { active } }: Turns): void {
  if (!active) return;
  const { responseId } = active;
  const remedy = 'Wait for response.done or cancel it.';
  throw new RuntimeError('response.active', 'A response is being made.', { responseId }, remedy);
}

/** The reply to cancel; error `response.none`. */
export function checkCancel({ speaking: { active } }: Turns, responseId: string | undefined): Reply {
  if (active && (responseId === undefined || responseId === active.responseId)) return active;
  const remedy = 'Nothing needs to be cancelled.';
  throw new RuntimeError('response.none', 'There is no such active response.', { responseId }, remedy);
}

/** Errors `item.unknown`, `item.no-audio`. */
export function checkTruncate({ speaking }: Turns, conversation: Conversation, itemId: string): void {
  conversation.get(itemId);
  if (speaking.spoken(itemId)) return;
  const remedy = 'Give the id of a recent assistant item with audio.';
  throw new RuntimeError('item.no-audio', 'Only spoken replies can be truncated.', { itemId }, remedy);
}

/** Errors `item.unknown`, `item.not-foreign`. */
export function checkForeign(
  conversation: Conversation,
  itemId: string,
): Extract<ItemContent, { type: 'foreign' }> {
  const [part] = conversation.get(itemId).content;
  if (part?.type === 'foreign') return part;
  const remedy = 'Delete it and add another.';
  throw new RuntimeError('item.not-foreign', 'What was said does not change.', { itemId }, remedy);
}

/** What a caller may know of a failure. */
export function readable(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof RuntimeError) return error;
  return { code: 'session.failed', message: error instanceof Error ? error.message : String(error) };
}
