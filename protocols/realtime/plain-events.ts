/** Session events that map one to one onto the protocol's and need no memory. */
import type { SessionEvent } from '../../actors/session-api.ts';
import { faultType, wireCode } from './protocol-error.ts';

export interface PlainEvent {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function toPlainEvent(event: SessionEvent): PlainEvent | null {
  switch (event.type) {
    case 'speech.started':
      return {
        type: 'input_audio_buffer.speech_started',
        fields: { item_id: event.itemId, audio_start_ms: Math.round(event.audioStartMs) },
      };
    case 'speech.stopped':
      return {
        type: 'input_audio_buffer.speech_stopped',
        fields: { item_id: event.itemId, audio_end_ms: Math.round(event.audioEndMs) },
      };
    case 'input.committed':
      return {
        type: 'input_audio_buffer.committed',
        fields: { item_id: event.itemId, previous_item_id: event.previousItemId },
      };
    case 'input.cleared':
      return { type: 'input_audio_buffer.cleared', fields: {} };
    case 'item.deleted':
      return { type: 'conversation.item.deleted', fields: { item_id: event.itemId } };
    case 'item.truncated':
      return {
        type: 'conversation.item.truncated',
        fields: { item_id: event.itemId, content_index: 0, audio_end_ms: Math.round(event.audioEndMs) },
      };
    case 'error': {
      const { code, message } = event;
      const error = { type: faultType(code), code: wireCode(code), message, param: null, event_id: null };
      return { type: 'error', fields: { error } };
    }
    default:
      return null;
  }
}
