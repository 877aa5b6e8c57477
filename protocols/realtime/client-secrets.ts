/** `POST /v1/realtime/client_secrets`: short-lived keys for browsers (docs/spec/protocols.md §1.1). */
import { z } from 'zod';
import type { Authentication } from '../server/authentication.ts';
import { errorAnswer, type HttpAnswer, type HttpRequest, jsonAnswer } from '../server/socket-server.ts';
import { schemaRefusal } from './parse-event.ts';
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
    return errorAnswer(405, 'method_not_allowed', `${request.method} is not allowed here.`, {
      allow: 'POST',
    });
  }
  let raw: unknown;
  try {
    raw = request.body.length === 0 ? {} : JSON.parse(request.body.toString('utf8'));
  } catch {
    return errorAnswer(400, 'invalid_json', 'The body is not JSON.');
  }
  const parsed = bodySchema.safeParse(raw);
  if (!parsed.success) {
    const { code, message } = wireError(schemaRefusal(parsed.error.issues[0], raw), null);
    return errorAnswer(400, code, message);
  }
  const { session, expires_after } = parsed.data;
  const value = authentication.issueEphemeral(session, expires_after.seconds * 1000);
  const expires_at = Math.floor(unixTimeMs / 1000) + expires_after.seconds;
  return jsonAnswer(200, { value, expires_at, session: { type: 'realtime', ...session } });
}
