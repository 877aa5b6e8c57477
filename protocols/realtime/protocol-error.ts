/** Errors on the wire (docs/spec/protocols.md §1.9): stable codes, the field concerned, and always the offending event's id. */
import { RuntimeError } from '../../kernels/errors.ts';

export interface WireError {
  readonly type: 'invalid_request_error' | 'server_error';
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly event_id: string | null;
}

/** Codes that stock clients branch on; every other code is the runtime's own with `_` for `.`. */
const CLIENT_CODES: Readonly<Record<string, string>> = {
  'response.active': 'conversation_already_has_active_response',
  'response.none': 'response_cancel_not_active',
  'input.empty': 'input_audio_buffer_commit_empty',
};

/** A fault of the client. `param` is the path of the field, in the client's own words. */
export function refusal(code: string, message: string, param: string | null = null): RuntimeError {
  return new RuntimeError(`realtime.${code}`, message, param === null ? {} : { param });
}

export function wireError(error: unknown, eventId: string | null): WireError {
  if (!(error instanceof RuntimeError)) {
    return {
      type: 'server_error',
      code: 'internal_error',
      message: 'The server failed on this event.',
      param: null,
      event_id: eventId,
    };
  }
  const code = error.code.startsWith('realtime.') ? error.code.slice('realtime.'.length) : error.code;
  const param = error.values.param;
  return {
    type: 'invalid_request_error',
    code: CLIENT_CODES[code] ?? code.replaceAll('.', '_'),
    message: error.message,
    param: typeof param === 'string' ? param : null,
    event_id: eventId,
  };
}
