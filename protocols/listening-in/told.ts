/** What a person who watches a call is told of it, as JSON. */
import type { ConversationItem, Session, SessionEvent } from '../../actors/session-api.ts';
import { wireTrace } from '../realtime/extensions.ts';
import type { SwitchboardEntry } from '../switchboard.ts';
import { maskedNumber } from './numbers.ts';

/** `shown`: as the carrier tells them. */
export type NumbersShown = 'masked' | 'shown';

export function callTold({ call, startedAtMs }: SwitchboardEntry, numbers: NumbersShown) {
  const told = (text: string | null) => (text === null || numbers === 'shown' ? text : maskedNumber(text));
  return {
    ...{ id: call.id, carrier: call.carrier, from: told(call.from), to: told(call.to) },
    started_at: Math.floor(startedAtMs / 1000),
    with: call.isConnected ? 'another party' : 'agent',
  };
}

/** Null: not for a person. */
export function eventTold(event: SessionEvent): object | null {
  switch (event.type) {
    case 'state':
      return { type: 'state', state: event.state };
    case 'input.transcript':
      return { type: 'caller', item: event.itemId, delta: event.delta, final: event.final };
    case 'input.untranscribed':
      return { type: 'caller', item: event.itemId, delta: '', final: true };
    case 'response.text':
      return { type: 'agent', item: event.itemId, delta: event.delta };
    case 'response.done':
      return { type: 'agent.done', item: event.itemId, interrupted: event.status.kind !== 'completed' };
    case 'item.truncated':
      return { type: 'agent.cut', item: event.itemId, text: event.text };
    case 'item.done':
      return typed(event.item);
    case 'turn.trace':
      return { type: 'trace', trace: wireTrace(event.trace) };
    default:
      return null;
  }
}

/** Digits that were entered are the caller's, and may be secret. */
function typed({ content, id, role }: ConversationItem): object | null {
  const isKeys = role === 'user' && content[0]?.type === 'text' && /^[\d*#A-D]+$/i.test(content[0].text);
  return isKeys ? { type: 'caller', item: id, delta: '(keys)', final: true } : null;
}

/** What was said before somebody watched. */
export function saidBefore({ items }: Session, most: number): object[] {
  return items.slice(-most).flatMap(item => {
    const keys = typed(item);
    if (keys) return [keys];
    const text = item.content.map(part => (part.type === 'audio' ? (part.transcript ?? '') : '')).join('');
    if (text === '' || (item.role !== 'user' && item.role !== 'assistant')) return [];
    if (item.role === 'user') return [{ type: 'caller', item: item.id, delta: text, final: true }];
    const isOver = item.status !== 'in_progress';
    const said = { type: 'agent', item: item.id, delta: text };
    return isOver
      ? [said, { type: 'agent.done', item: item.id, interrupted: item.status === 'incomplete' }]
      : [said];
  });
}
