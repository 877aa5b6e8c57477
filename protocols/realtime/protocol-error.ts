/**
 * Errors on the wire (docs/spec/protocols.md §1.9): stable codes, the field concerned, and always the offending event's
 * id.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import { wireCode } from '../json/index.ts';

export { faultType, refusal, wireCode } from '../json/index.ts';

export interface WireError {
  readonly type: 'invalid_request_error' | 'server_error';
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly event_id: string | null;
}

interface Wording {
  readonly code: string;
  readonly param?: string;
  readonly message?: (values: Readonly<Record<string, unknown>>) => string;
}

/** Codes and texts that stock clients branch on; every other code is the runtime's own. */
const WORDINGS: Readonly<Record<string, Wording>> = {
  'response.active': {
    code: 'conversation_already_has_active_response',
    message: ({ responseId }) =>
      `Conversation already has an active response in progress: ${responseId}. Wait until the response is finished before creating a new one.`,
  },
  'response.none': {
    code: 'response_cancel_not_active',
    message: () => 'Cancellation failed: no active response found',
  },
  'input.empty': { code: 'input_audio_buffer_commit_empty' },
};

const ofItem = (code: string, doing: string): Wording => ({
  code,
  param: 'item_id',
  message: ({ itemId }) => `Error ${doing} item: the item with id '${itemId}' does not exist.`,
});

/** The same fault has another code in another event. */
const WORDINGS_BY_EVENT: Readonly<Record<string, Readonly<Record<string, Wording>>>> = {
  'conversation.item.retrieve': {
    'item.unknown': ofItem('item_retrieve_invalid_item_id', 'retrieving'),
  },
  'conversation.item.delete': { 'item.unknown': ofItem('item_delete_invalid_item_id', 'deleting') },
  'conversation.item.truncate': {
    'item.unknown': ofItem('item_truncate_invalid_item_id', 'truncating'),
    'item.no-audio': {
      code: 'item_truncate_invalid_item_id',
      param: 'item_id',
      message: ({ itemId }) =>
        `Error truncating item: only assistant messages with audio can be truncated, and '${itemId}' is none.`,
    },
  },
  'conversation.item.create': {
    'item.duplicate': {
      code: 'item_create_duplicate_id',
      param: 'item.id',
      message: ({ itemId }) =>
        `Error adding item: an item with id '${itemId}' exists. Choose another id or leave it out.`,
    },
    'item.unknown': {
      code: 'item_create_invalid_previous_item_id',
      param: 'previous_item_id',
      message: ({ itemId }) => `Error adding item: the previous item with id '${itemId}' does not exist.`,
    },
  },
};

/** `during` is the type of the client's event. */
export function wireError(error: unknown, eventId: string | null, during: string | null = null): WireError {
  if (!(error instanceof RuntimeError)) {
    return {
      type: 'server_error',
      code: 'internal_error',
      message: 'The server failed on this event.',
      param: null,
      event_id: eventId,
    };
  }
  const { values } = error;
  const wording = WORDINGS_BY_EVENT[during ?? '']?.[error.code] ?? WORDINGS[error.code];
  const param = values.param ?? wording?.param;
  return {
    type: 'invalid_request_error',
    code: wording?.code ?? wireCode(error.code),
    message: wording?.message?.(values) ?? error.message,
    param: typeof param === 'string' ? param : null,
    event_id: eventId,
  };
}
