/**
 * Short-lived keys for browsers (docs/spec/protocols.md §1.1): `POST /v1/realtime/client_secrets`, and as the beta had
 * it `/v1/realtime/sessions` and `/v1/realtime/transcription_sessions`.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DEFAULT_SETTINGS } from '../../actors/turn-taking/index.ts';
import type { Authentication } from '../server/authentication.ts';
import {
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  jsonAnswer,
  methodNotAllowed,
} from '../server/socket-server.ts';
import { fromBetaSession, toBetaParam, toBetaSession } from './beta/index.ts';
import { checkSchema, parseJson } from '../json/index.ts';
import { wireError } from './protocol-error.ts';
import type { RealtimeContext } from './realtime-connection.ts';
import { describeSession, initialConfig, mergeConfig } from './session-config.ts';
import { type SessionFields, sessionFieldsSchema } from './session-fields.ts';

const DEFAULT_SECONDS = 600;

const expiresAfter = z
  .object({
    anchor: z.literal('created_at').default('created_at'),
    seconds: z.int().min(10).max(7200).default(DEFAULT_SECONDS),
  })
  .default({ anchor: 'created_at', seconds: DEFAULT_SECONDS });
const bodySchema = z.object({ expires_after: expiresAfter, session: sessionFieldsSchema.default({}) });

export type KeyShape = 'ga' | 'beta' | 'beta-transcription';

export function answerKeys(
  shape: KeyShape,
  request: HttpRequest,
  authentication: Authentication,
  context: RealtimeContext,
): HttpAnswer {
  if (request.method !== 'POST') {
    return methodNotAllowed(request.method, 'POST');
  }
  const json = parseJson(request.body.length === 0 ? '{}' : request.body.toString('utf8'));
  const checked = json.ok ? checkSchema(bodySchema, toGaBody(shape, json.value)) : json;
  if (!checked.ok) {
    const { code, message } = wireError(checked.error, null);
    return errorAnswer(400, code, shape === 'ga' ? message : toBetaParam(message));
  }
  const { session, expires_after } = checked.value;
  const value = authentication.issueEphemeral(session, expires_after.seconds * 1000);
  const expires_at = Math.floor(context.unixTimeMs() / 1000) + expires_after.seconds;
  const described = describe(session, context, expires_at);
  if (shape === 'ga') return jsonAnswer(200, { value, expires_at, session: described });
  return jsonAnswer(200, { ...toBetaSession(described), client_secret: { value, expires_at } });
}

/** In the beta the body was the session itself, and the key's lifetime stood in `client_secret`. */
function toGaBody(shape: KeyShape, body: unknown): unknown {
  if (shape === 'ga' || typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const given = body as Readonly<Record<string, unknown>>;
  const asked = given.client_secret as { readonly expires_after?: unknown } | null | undefined;
  const session = {
    ...fromBetaSession(given),
    type: shape === 'beta' ? ('realtime' as const) : ('transcription' as const),
  };
  const expires_after = asked?.expires_after ?? given.expires_after;
  return expires_after === undefined ? { session } : { session, expires_after };
}

/** The session as its connection would find it. */
function describe(fields: SessionFields, context: RealtimeContext, expiresAtSeconds: number) {
  const defaults = { ...DEFAULT_SETTINGS, ...context.sessionDefaults };
  const start = initialConfig(context.modelName, fields.type ?? 'realtime', defaults);
  const config = mergeConfig(start, fields, { defaults, hasSpoken: false });
  return describeSession(config, `sess_${randomUUID()}`, expiresAtSeconds);
}
