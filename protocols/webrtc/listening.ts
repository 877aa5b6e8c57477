/**
 * Listening in on a call, in the manner of WHEP: an offer that takes sound comes in at `/whep/{call}`, both voices go
 * out. Whoever holds a key may, as a server at the side of the call does.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { DoorContext } from '../door.ts';
import { callRefusal } from '../server/call-refusal.ts';
import { corsHeaders, emptyAnswer, preflight } from '../server/cors.ts';
import {
  admissionRefusal,
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  methodNotAllowed,
} from '../server/socket-server.ts';
import { ACCEPTED_CHANGES, changeBy, mediaType } from './change-request.ts';
import type { WebRtcCalls } from './calls.ts';

export const WHEP = /^\/whep\/([^/]+)(?:\/([^/]+))?\/*$/;

export async function listening(
  request: HttpRequest,
  calls: WebRtcCalls,
  context: DoorContext,
): Promise<HttpAnswer> {
  const headers = corsHeaders(request, context.authentication, 'POST, PATCH, DELETE, OPTIONS');
  const answered = await answer(request, calls, context);
  return { ...answered, headers: { ...answered.headers, ...headers } };
}

async function answer(request: HttpRequest, calls: WebRtcCalls, context: DoorContext): Promise<HttpAnswer> {
  const [, callId, listenerId] = WHEP.exec(request.path)!;
  const { method } = request;
  if (method === 'OPTIONS')
    return preflight(request, context.authentication, { 'accept-post': 'application/sdp' });
  // An ephemeral key is a caller's.
  const admission = context.authentication.admit(request, false);
  if (!admission.ok) return admissionRefusal(admission);
  if (!calls.has(callId)) return errorAnswer(404, 'call_not_found', 'There is no such call.');
  try {
    if (listenerId === undefined)
      return method === 'POST'
        ? await begin(request, calls, callId)
        : methodNotAllowed(method, 'POST, OPTIONS');
    const listener = calls.listener(callId, listenerId);
    if (!listener?.negotiation)
      return errorAnswer(404, 'listener_not_found', 'Nobody of this id listens to the call.');
    if (method === 'DELETE') {
      listener.end();
      return emptyAnswer(200);
    }
    if (method !== 'PATCH') return methodNotAllowed(method, 'DELETE, PATCH, OPTIONS');
    return await changeBy(request, listener.negotiation);
  } catch (error) {
    return callRefusal(error);
  }
}

async function begin(request: HttpRequest, calls: WebRtcCalls, callId: string): Promise<HttpAnswer> {
  const type = mediaType(request);
  if (type !== 'application/sdp')
    throw new RuntimeError('webrtc.body_type', 'The body is not application/sdp.', { type });
  const { id, sdp } = await calls.overhear(callId, request.body.toString('utf8'));
  const listener = calls.listener(callId, id)?.negotiation;
  return {
    status: 201,
    headers: {
      'content-type': 'application/sdp',
      location: `/whep/${callId}/${id}`,
      'accept-patch': ACCEPTED_CHANGES,
      ...(listener && { etag: listener.entityTag }),
      'cache-control': 'no-store',
    },
    body: sdp,
  };
}
