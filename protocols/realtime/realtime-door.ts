/** The door of the OpenAI Realtime protocol: its WebSocket, its ephemeral keys and its list of models. */
import type { Door, DoorContext, OpenDoor } from '../door.ts';
import type { Connection, ConnectionListener } from '../connection.ts';
import { type Admission, offeredSubprotocols } from '../server/authentication.ts';
import { refuse } from '../server/http-host.ts';
import {
  admissionRefusal,
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  type UpgradeDecision,
} from '../server/socket-server.ts';
import { answerKeys, type KeyShape } from './client-secrets.ts';
import { answerModels } from './models.ts';
import { API_PATHS, apiPath } from './paths.ts';
import { openRealtime, type RealtimeContext } from './realtime-connection.ts';
import { ResumableSessions } from './resume/index.ts';
import type { SessionFields } from './session-fields.ts';

const REALTIME_PATH = '/v1/realtime';
const KEY_ENDPOINTS: Readonly<Record<string, KeyShape>> = {
  [`${REALTIME_PATH}/client_secrets`]: 'ga',
  [`${REALTIME_PATH}/sessions`]: 'beta',
  [`${REALTIME_PATH}/transcription_sessions`]: 'beta-transcription',
};
const SUBPROTOCOL = 'realtime';
const INTENTS: ReadonlySet<string> = new Set(['realtime', 'transcription']);
const BETA_SUBPROTOCOL = 'openai-beta.realtime-v1';
/** Asks for a session that outlives its socket; with a token and what was received of it, for that session. */
const RESUME_SUBPROTOCOL = /^longcat-resume(?:\.([0-9a-f]{1,128})\.(\d{1,15}))?$/;
const BETA_HEADER = /\brealtime=v1\b/;

/** A running call that a server attaches to; null: there is none of this id. */
export type FindCall = (callId: string) => ((side: Connection) => ConnectionListener) | null;

interface Running {
  readonly findCall: FindCall;
  readonly sessions: ResumableSessions;
}

export function realtimeDoor(realtime: RealtimeContext, findCall: FindCall): Door {
  return {
    name: 'realtime',
    open(context): OpenDoor {
      const { clock, metrics, limits } = realtime;
      const sessions = new ResumableSessions({ clock, metrics, maxUnsentBytes: limits.maxUnsentBytes });
      context.host.route(null, API_PATHS, request => api(request, context, realtime));
      context.host.upgrade(API_PATHS, request =>
        decideUpgrade(request, context, realtime, { findCall, sessions }),
      );
      return { close: () => sessions.close() };
    },
  };
}

function api(request: HttpRequest, { authentication }: DoorContext, context: RealtimeContext): HttpAnswer {
  const path = apiPath(request.path) ?? '';
  if (path === REALTIME_PATH) {
    return errorAnswer(426, 'upgrade_required', 'This is a WebSocket endpoint.', { upgrade: 'websocket' });
  }
  const admission = authentication.admit(request, false);
  if (!admission.ok) return admissionRefusal(admission);
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

function decideUpgrade(
  request: HttpRequest,
  { authentication, readiness }: DoorContext,
  context: RealtimeContext,
  { findCall, sessions }: Running,
): UpgradeDecision {
  if (apiPath(request.path) !== REALTIME_PATH)
    return refuse(errorAnswer(404, 'not_found', 'There is no such endpoint.'));
  const resume = offeredSubprotocols(request)
    .map(name => RESUME_SUBPROTOCOL.exec(name))
    .find(found => found !== null);
  if (resume?.[1]) return comeBack(request, authentication, sessions.find(resume[1], Number(resume[2])));
  const admission = authentication.admit(request, true);
  if (!admission.ok) return refuse(admissionRefusal(admission));
  const offered = offeredSubprotocols(request);
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
    return refuse(errorAnswer(400, 'unknown_subprotocol', `Offer the subprotocol ${SUBPROTOCOL}, or none.`));
  }
  const subprotocol = offered.length > 0 ? SUBPROTOCOL : null;
  const callId = request.query.get('call_id');
  if (callId !== null) return attach(findCall(callId), admission, subprotocol);
  const intent = request.query.get('intent');
  if (intent !== null && !INTENTS.has(intent)) {
    const message = 'Give ?model=NAME, ?intent=transcription, or both; another intent is not served here.';
    return refuse(errorAnswer(400, 'invalid_query', message));
  }
  const unready = readiness.refusal();
  if (unready) return refuse(unready);
  const session = admission.by === 'ephemeral' ? (admission.session as SessionFields) : null;
  const isBeta =
    offered.includes(BETA_SUBPROTOCOL) || BETA_HEADER.test(request.headers.get('openai-beta') ?? '');
  const type = intent === 'transcription' ? 'transcription' : (session?.type ?? 'realtime');
  const opening = { type, session, isBeta } as const;
  const onOpen = (connection: Connection) =>
    resume
      ? sessions.open(connection, (line, resumption) =>
          openRealtime(line, { ...opening, resumption }, context),
        )
      : openRealtime(connection, opening, context);
  return { accept: true, subprotocol, onOpen };
}

/** The token is the key, also of a session that an ephemeral key has opened which is over. */
function comeBack(
  request: HttpRequest,
  authentication: DoorContext['authentication'],
  onOpen: ReturnType<ResumableSessions['find']>,
): UpgradeDecision {
  const origin = authentication.admitOrigin(request);
  if (!origin.ok) return refuse(admissionRefusal(origin));
  if (!onOpen)
    return refuse(errorAnswer(404, 'session_not_found', 'There is no such session to resume, or no more.'));
  const subprotocol = offeredSubprotocols(request).includes(SUBPROTOCOL) ? SUBPROTOCOL : null;
  return { accept: true, subprotocol, onOpen };
}

/** An ephemeral key opens its own conversation, and no other's. */
function attach(
  call: ReturnType<FindCall>,
  admission: Admission & { readonly ok: true },
  subprotocol: string | null,
): UpgradeDecision {
  if (admission.by === 'ephemeral')
    return refuse(errorAnswer(403, 'key_not_allowed', 'An ephemeral key may not attach to a call.'));
  if (!call) return refuse(errorAnswer(404, 'call_not_found', 'There is no such call.'));
  return { accept: true, subprotocol, onOpen: call };
}
