/** The conversation so far, as a backend reads it: who said what, in words. */
import type { ConversationItem, ItemContent } from '../../../actors/session-api.ts';

/** Of the conversation's end. */
const MAX_ITEMS = 64;
const MAX_CHARS = 32_000;
const ROLES = { system: 'developer', user: 'user', assistant: 'assistant' } as const;

export interface BackendMessage {
  readonly role: 'developer' | 'user' | 'assistant';
  readonly content: string;
}

export function backendInput(items: readonly ConversationItem[], task: string): BackendMessage[] {
  const messages: BackendMessage[] = [];
  let chars = 0;
  for (const { role, content } of items.slice(-MAX_ITEMS).toReversed()) {
    const text = content.map(wordsOf).join(' ').trim();
    if (role === 'tool' || text === '') continue;
    chars += text.length;
    if (chars > MAX_CHARS) break;
    messages.unshift({ role: ROLES[role], content: text });
  }
  if (task !== '') messages.push({ role: 'developer', content: `What is wanted: ${task}` });
  return messages;
}

function wordsOf(part: ItemContent): string {
  if (part.type === 'text') return part.text;
  return part.type === 'audio' ? (part.transcript ?? '') : '';
}
