/** The door of OpenAI's GPT-Live protocol: its WebSocket, and clear words for the ways in that are not built. */
import type { Door, DoorContext, OpenDoor } from '../door.ts';
import { offeredSubprotocols } from '../server/authentication.ts';
import { refuse } from '../server/http-host.ts';
import {
  admissionRefusal,
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  methodNotAllowed,
  type UpgradeDecision,
} from '../server/socket-server.ts';
import { LiveConnection } from './live-connection.ts';
import { LIVE_PATHS, livePath } from './paths.ts';

const KEY_SUBPROTOCOL = /^openai-insecure-api-key\./;
const NO_SESSION = 'Only the WebSocket that started a session can speak to it; nothing of it is stored.';
const NOT_BUILT: Readonly<Record<string, string>> = {
  attach: `There is no sideband yet. ${NO_SESSION}`,
  fork: `Sessions cannot be forked. ${NO_SESSION}`,
  content: `Sessions are not recorded for download. ${NO_SESSION}`,
};

export function liveDoor(): Door {
  return {
    name: 'live',
    open(context): OpenDoor {
      context.host.route(null, LIVE_PATHS, request => answer(request, context));
      context.host.upgrade(LIVE_PATHS, request => decideUpgrade(request, context));
      return { close() {} };
    },
  };
}

function answer(request: HttpRequest, { authentication }: DoorContext): HttpAnswer {
  const { part, sessionId } = livePath(request.path)!;
  if (sessionId === null && request.method !== 'POST') {
    return request.method === 'GET'
      ? errorAnswer(426, 'upgrade_required', 'This is a WebSocket endpoint.', { upgrade: 'websocket' })
      : methodNotAllowed(request.method, 'GET, POST');
  }
  const admission = authentication.admit(request, false);
  if (!admission.ok) return admissionRefusal(admission);
  if (sessionId === null) {
    const message =
      'Sessions over WebRTC are not served yet; open a WebSocket at this path and send session.start.';
    return errorAnswer(400, 'unsupported_transport', message);
  }
  return notBuilt(part);
}

function notBuilt(part: string): HttpAnswer {
  if (Object.hasOwn(NOT_BUILT, part)) return errorAnswer(400, 'unsupported_endpoint', NOT_BUILT[part]);
  return errorAnswer(404, 'not_found', 'There is no such endpoint.');
}

function decideUpgrade(request: HttpRequest, context: DoorContext): UpgradeDecision {
  const { authentication, readiness } = context;
  // An ephemeral key brings a session of the Realtime protocol.
  const admission = authentication.admit(request, false);
  if (!admission.ok) return refuse(admissionRefusal(admission));
  const { part, sessionId } = livePath(request.path)!;
  if (sessionId !== null) return refuse(notBuilt(part));
  const unready = readiness.refusal();
  if (unready) return refuse(unready);
  return {
    accept: true,
    subprotocol: chosenSubprotocol(offeredSubprotocols(request)),
    onOpen: connection => new LiveConnection(connection, context),
  };
}

/** A browser that offers some wants one of them back, and may have no other way to send its key. */
function chosenSubprotocol(offered: readonly string[]): string | null {
  return offered.find(name => !KEY_SUBPROTOCOL.test(name)) ?? offered[0] ?? null;
}
