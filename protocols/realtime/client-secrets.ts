/** `POST /v1/realtime/client_secrets`: short-lived keys for browsers (docs/spec/protocols.md §1.1). */
import { z } from 'zod';
import type { Authentication } from '../server/authentication.ts';
import {
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  jsonAnswer,
  methodNotAllowed,
} from '../server/socket-server.ts';
import { checkSchema, parseJson } from './parse-event.ts';
import { wireError } from './protocol-error.ts';
import { sessionFieldsSchema } from './session-fields.ts';

const DEFAULT_SECONDS = 600;

const bodySchema = z.object({
  expires_after: z
    .object({
      anchor: z.literal('created_at').default('created_at'),
      seconds: z.int().min(10).max(7200).default(DEFAULT_SECONDS),
    })
    .default({ anchor: 'created_at', seconds: DEFAULT_SECONDS }),
  session: sessionFieldsSchema.default({}),
});

export function answerClientSecrets(
  request: HttpRequest,
  authentication: Authentication,
  unixTimeMs: number,
): HttpAnswer {
  if (request.method !== 'POST') {
    return methodNotAllowed(request.method, 'POST');
  }
  const json = parseJson(request.body.length === 0 ? '{}' : request.body.toString('utf8'));
  const checked = json.ok ? checkSchema(bodySchema, json.value) : json;
  if (!checked.ok) {
    const { code, message } = wireError(checked.error, null);
    return errorAnswer(400, code, message);
  }
  const { session, expires_after } = checked.value;
  const value = authentication.issueEphemeral(session, expires_after.seconds * 1000);
  const expires_at = Math.floor(unixTimeMs / 1000) + expires_after.seconds;
  return jsonAnswer(200, { value, expires_at, session: { type: 'realtime', ...session } });
}
