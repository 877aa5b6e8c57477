/**
 * What the model is to know still when its context is full: the turns of items that this says matter are kept when the
 * oldest go (docs/tools.md). A rule about words, so of a language: who speaks another one brings his own
 * (`Memory.keeps`).
 */
import type { KeepRank } from '../language-model/index.ts';
import type { ConversationItem, ItemContent } from '../session-items.ts';

/** Of each item when it is complete. The same item must give the same. */
export type Keeps = (item: ConversationItem) => KeepRank;

/** The user says who he is or asks that something be remembered, in English. */
const TELLS = [
  /\bmy name(?: is|'s)\b/,
  /^(?!what|who|which|do|can|tell|say).*\bis my name\b/,
  /\bcall me\b/,
  /^(?:i am|i'm) \w+$/,
  /^(?!do|can|what).*\bremember\b/,
  /\bmy (?:\w+ )?number is\b/,
  /\bis my (?:\w+ )?number\b/,
] as const;
/** The agent calls the user by a name: it has understood one, whatever was written down. */
const GREETS = /^(?:Hello|Hi|Nice to meet you),? [A-Z][a-z]+[.!]?$/;

/** What the user tells of himself, and after that what tools gave. */
export const keepsFacts: Keeps = ({ role, content }) => {
  const text = content.map(textOf).join(' ').trim();
  if (role === 'user') return TELLS.some(tells => tells.test(plain(text))) ? 2 : 0;
  if (content.some(({ type }) => type === 'call' || type === 'call.output')) return 1;
  return role === 'assistant' && GREETS.test(text) ? 2 : 0;
};

const plain = (text: string): string => text.toLowerCase().replace(/[.!?,]+$/, '');

function textOf(part: ItemContent): string {
  if (part.type === 'text') return part.text;
  return part.type === 'audio' ? (part.transcript ?? '') : '';
}
