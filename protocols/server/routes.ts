/** Which request goes where, and who is let through. */
import type { Logger } from '../../actors/core/logger.ts';
import { answerKeys, type KeyShape } from '../realtime/client-secrets.ts';
import { guardedListener } from '../realtime/guard.ts';
import { openRealtime, type RealtimeContext } from '../realtime/realtime-connection.ts';
import type { SessionFields } from '../realtime/session-fields.ts';
import { type Admission, type Authentication, offeredSubprotocols } from './authentication.ts';
import { answerModels } from './models.ts';
import { apiPath } from './paths.ts';
import {
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  jsonAnswer,
  methodNotAllowed,
  type SocketServerKind,
  type UpgradeDecision,
} from './socket-server.ts';
import type { Readiness } from './readiness.ts';
import { serveFile } from './static-files.ts';

const REALTIME_PATH = '/v1/realtime';
const KEY_ENDPOINTS: Readonly<Record<string, KeyShape>> = {
  [`${REALTIME_PATH}/client_secrets`]: 'ga',
  [`${REALTIME_PATH}/sessions`]: 'beta',
  [`${REALTIME_PATH}/transcription_sessions`]: 'beta-transcription',
};
const SUBPROTOCOL = 'realtime';
const RETRY_AFTER_SECONDS = '5';
/** Paths that are only looked at. */
const READ_ONLY = new Set(['/healthz', '/readyz', '/metrics']);
const INTENTS: ReadonlySet<string> = new Set(['realtime', 'transcription']);
const BETA_SUBPROTOCOL = 'openai-beta.realtime-v1';
const BETA_HEADER = /\brealtime=v1\b/;

export interface RoutesOptions {
  readonly context: RealtimeContext;
  readonly authentication: Authentication;
  readonly readiness: Readiness;
  readonly webRoot: string;
  readonly engineKind: string;
  readonly serverKind: () => SocketServerKind;
  readonly log: Logger;
}

export function answerRequests(options: RoutesOptions): (request: HttpRequest) => Promise<HttpAnswer> {
  return async request => {
    try {
      return await route(request, options);
    } catch (error) {
      options.log.error({ err: error, path: request.path }, 'A request failed.');
      return errorAnswer(500, 'internal_error', 'The server failed on this request.');
    }
  };
}

async function route(request: HttpRequest, options: RoutesOptions): Promise<HttpAnswer> {
  const { authentication, context } = options;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead && READ_ONLY.has(request.path)) return methodNotAllowed(request.method, 'GET, HEAD');
  if (request.path === '/healthz') return health(options);
  if (request.path === '/readyz') return options.readiness.answer();
  if (request.path === '/metrics') {
    const admission = authentication.admit(request, false);
    if (!admission.ok) return refusal(admission);
    const headers = {
      'content-type': context.metrics.contentType,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    };
    return { status: 200, headers, body: await context.metrics.text() };
  }
  const path = apiPath(request.path);
  if (path !== null) return api(path, request, options);
  return serveFile(options.webRoot, request);
}

/** `path` as `apiPath` gives it. */
function api(path: string, request: HttpRequest, { authentication, context }: RoutesOptions): HttpAnswer {
  if (path === REALTIME_PATH) {
    return errorAnswer(426, 'upgrade_required', 'This is a WebSocket endpoint.', { upgrade: 'websocket' });
  }
  const admission = authentication.admit(request, false);
  if (!admission.ok) return refusal(admission);
  const keys = KEY_ENDPOINTS[path];
  if (keys !== undefined) return answerKeys(keys, request, authentication, context);
  const model = /^\/v1\/models(?:\/(.+))?$/.exec(path);
  if (model) return answerModels(request.method, decoded(model[1]), context.modelName);
  return errorAnswer(404, 'not_found', 'There is no such endpoint.');
}

/** A path element; null for none, and as it stands where it is no percent-encoding. */
function decoded(element: string | undefined): string | null {
  if (element === undefined) return null;
  try {
    return decodeURIComponent(element);
  } catch {
    return element;
  }
}

/** The process is alive; whether it serves is `/readyz`'s to say. */
function health({ context, engineKind, serverKind }: RoutesOptions): HttpAnswer {
  const { runtime, limits, modelName } = context;
  return jsonAnswer(200, {
    status: 'ok',
    model: modelName,
    engine: engineKind,
    server: serverKind(),
    sessions: runtime.sessions.size,
    limits: { ...runtime.limits, ...limits },
  });
}

function refusal({ status, code, message }: Extract<Admission, { ok: false }>): HttpAnswer {
  const headers: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  return errorAnswer(status, code, message, headers);
}

export function decideUpgrades(options: RoutesOptions): (request: HttpRequest) => UpgradeDecision {
  const { context, log } = options;
  const decide = (request: HttpRequest): UpgradeDecision => {
    try {
      return decideUpgrade(request, options);
    } catch (error) {
      log.error({ err: error, path: request.path }, 'An upgrade failed.');
      return refuse(errorAnswer(500, 'internal_error', 'The server failed on this request.'));
    }
  };
  return request => {
    const decision = decide(request);
    if (!decision.accept) context.metrics.connectionRefused(String(decision.answer.status));
    return decision;
  };
}

function decideUpgrade(
  request: HttpRequest,
  { context, authentication, readiness, log }: RoutesOptions,
): UpgradeDecision {
  if (apiPath(request.path) !== REALTIME_PATH)
    return refuse(errorAnswer(404, 'not_found', 'There is no such endpoint.'));
  const admission = authentication.admit(request, true);
  if (!admission.ok) return refuse(refusal(admission));
  const offered = offeredSubprotocols(request);
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
    return refuse(errorAnswer(400, 'unknown_subprotocol', `Offer the subprotocol ${SUBPROTOCOL}, or none.`));
  }
  const intent = request.query.get('intent');
  if (request.query.has('call_id') || (intent !== null && !INTENTS.has(intent))) {
    const message =
      'Give ?model=NAME, ?intent=transcription, or both; another intent, or a call to attach to, is not served here.';
    return refuse(errorAnswer(400, 'invalid_query', message));
  }
  const unready = readiness.refusal();
  if (unready) return refuse(unready);
  const { runtime } = context;
  if (runtime.sessions.size >= runtime.limits.maxSessions) {
    const message = `All ${runtime.limits.maxSessions} sessions are taken.`;
    return refuse(errorAnswer(503, 'runtime_full', message, { 'retry-after': RETRY_AFTER_SECONDS }));
  }
  const session = admission.by === 'ephemeral' ? (admission.session as SessionFields) : null;
  const isBeta =
    offered.includes(BETA_SUBPROTOCOL) || BETA_HEADER.test(request.headers.get('openai-beta') ?? '');
  const type = intent === 'transcription' ? 'transcription' : (session?.type ?? 'realtime');
  return {
    accept: true,
    subprotocol: offered.length > 0 ? SUBPROTOCOL : null,
    onOpen: connection => {
      context.metrics.connectionOpened();
      const open = () => openRealtime(connection, { type, session, isBeta }, context);
      return guardedListener(connection, open, error => log.error({ err: error }, 'A connection failed.'));
    },
  };
}

function refuse(answer: HttpAnswer): UpgradeDecision {
  return { accept: false, answer };
}
