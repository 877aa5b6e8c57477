/**
 * The door of OpenAI's GPT-Live protocol: its WebSocket, its sessions over WebRTC with connections at their side, and
 * clear words for the ways in that are not built.
 */
import type { Door, DoorContext, OpenDoor } from '../door.ts';
import { checkSchema, parseJson } from '../json/index.ts';
import { offeredSubprotocols } from '../server/authentication.ts';
import { callRefusal } from '../server/call-refusal.ts';
import { corsHeaders, emptyAnswer, preflight } from '../server/cors.ts';
import { refuse } from '../server/http-host.ts';
import {
  admissionRefusal,
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  jsonAnswer,
  methodNotAllowed,
  type UpgradeDecision,
} from '../server/socket-server.ts';
import type { LiveCalls } from './calls.ts';
import type { LiveContext } from './call-options.ts';
import { LiveConnection } from './live-connection.ts';
import { LIVE_PATHS, livePath } from './paths.ts';
import { sessionRequestSchema } from './session-config.ts';

const KEY_SUBPROTOCOL = /^openai-insecure-api-key\./;
const NO_WEBRTC =
  'This server takes no calls over WebRTC; open a WebSocket at this path and send session.start.';
const NOT_BUILT: Readonly<Record<string, string>> = {
  fork: 'Sessions cannot be forked: nothing of them is stored.',
  content: 'Sessions are not recorded for download.',
  accept: 'Telephone calls are answered by this server itself; there is none to accept here.',
  reject: 'Telephone calls are answered by this server itself; there is none to reject here.',
  refer: 'This session is no telephone call, so it cannot be transferred.',
};

interface LiveEndpoint {
  readonly context: DoorContext;
  readonly live: LiveContext;
  /** Null: no WebRTC here. */
  readonly calls: LiveCalls | null;
}

/** `calls` is asked when somebody comes in. */
export function liveDoor(live: LiveContext, calls: () => LiveCalls | null): Door {
  return {
    name: 'live',
    open(context): OpenDoor {
      const endpoint = () => ({ context, live, calls: calls() });
      context.host.route(null, LIVE_PATHS, async request => {
        const headers = corsHeaders(request, context.authentication, 'POST, PATCH, OPTIONS');
        const answered = await answer(request, endpoint());
        return { ...answered, headers: { ...answered.headers, ...headers } };
      });
      context.host.upgrade(LIVE_PATHS, request => decideUpgrade(request, endpoint()));
      return { close() {} };
    },
  };
}

async function answer(request: HttpRequest, { calls, context }: LiveEndpoint): Promise<HttpAnswer> {
  const { authentication } = context;
  const { method } = request;
  const { part, sessionId } = livePath(request.path)!;
  if (method === 'OPTIONS') return preflight(request, authentication);
  if (sessionId === null && method !== 'POST') {
    return method === 'GET'
      ? errorAnswer(426, 'upgrade_required', 'This is a WebSocket endpoint.', { upgrade: 'websocket' })
      : methodNotAllowed(method, 'GET, POST, OPTIONS');
  }
  // An ephemeral key brings a session of the Realtime protocol.
  const admission = authentication.admit(request, false);
  if (!admission.ok) return admissionRefusal(admission);
  if (sessionId === null) return await begin(request, { calls, context });
  if (part === '' && method === 'PATCH') return await change(request, sessionId, calls);
  if (part === 'attach')
    return errorAnswer(426, 'upgrade_required', 'This is a WebSocket endpoint.', { upgrade: 'websocket' });
  if (part !== 'hangup') return notBuilt(part);
  if (!calls?.has(sessionId)) return noSession();
  if (method !== 'POST') return methodNotAllowed(method, 'POST, OPTIONS');
  calls.hangUp(sessionId);
  return emptyAnswer(200);
}

/** A session over WebRTC: what it is to be, and the offer; its id, and the answer. */
async function begin(
  request: HttpRequest,
  { calls, context }: Pick<LiveEndpoint, 'calls' | 'context'>,
): Promise<HttpAnswer> {
  if (!calls) return errorAnswer(400, 'unsupported_transport', NO_WEBRTC);
  const unready = context.readiness.refusal();
  if (unready) return unready;
  const json = parseJson(request.body.toString('utf8'));
  const checked = json.ok ? checkSchema(sessionRequestSchema, json.value) : json;
  if (!checked.ok) return callRefusal(checked.error);
  const { session, transport } = checked.value;
  try {
    const { type: _, ...fields } = session;
    const { id, sdp } = await calls.start(transport.sdp, fields);
    const location = `/v1/live/sessions/${id}`;
    return jsonAnswer(201, { session: { id }, transport: { type: 'webrtc', sdp } }, { location });
  } catch (error) {
    return callRefusal(error);
  }
}

/** Our own: an offer within a session, where a caller's network changed (docs/video-call.md, Networks). */
async function change(request: HttpRequest, id: string, calls: LiveCalls | null): Promise<HttpAnswer> {
  if (!calls?.has(id)) return noSession();
  try {
    const body = await calls.change(id, request.body.toString('utf8'));
    return { status: 200, headers: { 'content-type': 'application/sdp', 'cache-control': 'no-store' }, body };
  } catch (error) {
    return callRefusal(error);
  }
}

const noSession = () => errorAnswer(404, 'session_not_found', 'No session of this id runs over WebRTC here.');

function notBuilt(part: string): HttpAnswer {
  if (Object.hasOwn(NOT_BUILT, part)) return errorAnswer(400, 'unsupported_endpoint', NOT_BUILT[part]);
  return errorAnswer(404, 'not_found', 'There is no such endpoint.');
}

function decideUpgrade(request: HttpRequest, { calls, context, live }: LiveEndpoint): UpgradeDecision {
  const { authentication, readiness } = context;
  const admission = authentication.admit(request, false);
  if (!admission.ok) return refuse(admissionRefusal(admission));
  const { part, sessionId } = livePath(request.path)!;
  const subprotocol = chosenSubprotocol(offeredSubprotocols(request));
  if (sessionId !== null) {
    if (part !== 'attach') return refuse(notBuilt(part));
    const attach = calls?.attach(sessionId) ?? null;
    return attach ? { accept: true, subprotocol, onOpen: attach } : refuse(noSession());
  }
  const unready = readiness.refusal();
  if (unready) return refuse(unready);
  return { accept: true, subprotocol, onOpen: connection => new LiveConnection(connection, live) };
}

/** A browser that offers some wants one of them back, and may have no other way to send its key. */
function chosenSubprotocol(offered: readonly string[]): string | null {
  return offered.find(name => !KEY_SUBPROTOCOL.test(name)) ?? offered[0] ?? null;
}
