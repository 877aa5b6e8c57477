/**
 * The door for WebRTC (docs/spec/webrtc.md §1): OpenAI's calls, where the events travel on a data channel, and WHIP
 * (RFC 9725), whose clients offer sound and pictures alone. One handler: an offer comes in, an answer goes out, the
 * call has an address.
 */
import { z } from 'zod';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Door, DoorContext, OpenDoor } from '../door.ts';
import { checkSchema, parseJson } from '../json/index.ts';
import type { LiveCalls, LiveContext } from '../live/index.ts';
import { type RealtimeContext, type SessionFields, sessionFieldsSchema } from '../realtime/index.ts';
import type { Admission } from '../server/authentication.ts';
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
import { WebRtcCalls } from './calls.ts';
import { listening, WHEP } from './listening.ts';
import { liveCalls } from './live-calls.ts';
import { loadOpus, type OpusLibrary } from '../media/index.ts';
import { checkInstalled, loadLibopus } from './libraries.ts';
import type { OpenPeer, PeerOptions } from './peer.ts';
import { realtimeCalls } from './realtime-calls.ts';
import { weriftPeers } from './werift-peer.ts';

/** With the names that `API_PATHS` of the Realtime door has. */
const CALLS = /^\/(?:openai\/v1|openai|v1)\/realtime\/calls(?:\/([^/]+)(?:\/(hangup))?)?\/*$/;
const WHIP = /^\/whip(?:\/([^/]+))?\/*$/;

export interface WebRtcOptions extends PeerOptions {
  /** Absent: werift's, and the sound by libopus. Given together, by tests. */
  readonly openPeer?: OpenPeer;
  readonly opus?: OpusLibrary;
}

/** What the doors of the protocols that calls carry ask for. */
export interface RunningCalls {
  /** For a side connection of the Realtime protocol (`?call_id=`). */
  readonly find: WebRtcCalls['attach'];
  readonly live: LiveCalls;
}

/** Error `webrtc.missing` on opening, where the optional libraries are not installed. */
export function webRtcDoor(
  options: WebRtcOptions,
  realtime: RealtimeContext,
  live: LiveContext,
  onOpen: (calls: RunningCalls) => void,
): Door {
  return {
    name: 'webrtc',
    async open(context): Promise<OpenDoor> {
      const opus = options.opus ?? opusWhenCalled();
      const openPeer = options.openPeer ?? peersWhenCalled(options);
      const calls = new WebRtcCalls(realtime, opus, openPeer);
      onOpen({ find: id => (isRealtime(id) ? calls.attach(id) : null), live: liveCalls(calls, live) });
      const serve = (base: string, pattern: RegExp) =>
        context.host.route(null, pattern, request =>
          answer(request, { base, pattern, calls, context, realtime }),
        );
      serve('/v1/realtime/calls', CALLS);
      serve('/whip', WHIP);
      context.host.route(null, WHEP, request => listening(request, calls, context));
      return { close: () => calls.close() };
    },
  };
}

function opusWhenCalled(): OpusLibrary {
  checkInstalled();
  let loading: Promise<OpusLibrary> | null = null;
  const library = () => (loading ??= loadOpus(loadLibopus));
  return {
    decoder: async () => (await library()).decoder(),
    encoder: async () => (await library()).encoder(),
  };
}

function peersWhenCalled(options: PeerOptions): OpenPeer {
  let loading: Promise<OpenPeer> | null = null;
  return async listener => (await (loading ??= weriftPeers(options)))(listener);
}

/** A call of another protocol has its own ways in. */
const isRealtime = (id: string): boolean => id.startsWith('rtc_');

interface OfferEndpoint {
  readonly base: string;
  readonly pattern: RegExp;
  readonly calls: WebRtcCalls;
  readonly context: DoorContext;
  readonly realtime: RealtimeContext;
}

async function answer(request: HttpRequest, endpoint: OfferEndpoint): Promise<HttpAnswer> {
  const [, id, action] = endpoint.pattern.exec(request.path) ?? [];
  const headers = corsHeaders(request, endpoint.context.authentication, 'POST, PATCH, DELETE, OPTIONS');
  const answered = await serveRequest(request, id, action, endpoint);
  return { ...answered, headers: { ...answered.headers, ...headers } };
}

async function serveRequest(
  request: HttpRequest,
  id: string | undefined,
  action: string | undefined,
  endpoint: OfferEndpoint,
): Promise<HttpAnswer> {
  const { calls, context } = endpoint;
  const { method } = request;
  if (method === 'OPTIONS') {
    // Also of a WHIP client that wants to know what there is (RFC 9725 §4.2).
    return preflight(request, context.authentication, { 'accept-post': 'application/sdp' });
  }
  const admission = context.authentication.admit(request, true);
  if (!admission.ok) return admissionRefusal(admission);
  try {
    if (id === undefined)
      return method === 'POST' ? await begin(request, admission, endpoint) : only('POST', method);
    if (!isRealtime(id) || !calls.has(id))
      return errorAnswer(404, 'call_not_found', 'There is no such call.');
    if (action === 'hangup') return method === 'POST' ? hangUp(calls, id) : only('POST', method);
    if (method === 'DELETE') return hangUp(calls, id);
    return method === 'PATCH'
      ? await changeBy(request, calls.negotiation(id))
      : only('DELETE, PATCH, OPTIONS', method);
  } catch (error) {
    return callRefusal(error);
  }
}

const only = (allow: string, method: string) => methodNotAllowed(method, allow);

function hangUp(calls: WebRtcCalls, id: string): HttpAnswer {
  calls.hangUp(id, 'hung up');
  return emptyAnswer(200);
}

async function begin(
  request: HttpRequest,
  admission: Admission & { readonly ok: true },
  { base, calls, context, realtime }: OfferEndpoint,
): Promise<HttpAnswer> {
  const unready = context.readiness.refusal();
  if (unready) return unready;
  const given = await readBody(request);
  const session = admission.by === 'ephemeral' ? (admission.session as SessionFields) : given.session;
  const { id, sdp } = await calls.start({ offer: given.sdp, protocol: realtimeCalls(realtime, session) });
  return {
    status: 201,
    headers: {
      'content-type': 'application/sdp',
      location: `${base}/${id}`,
      'accept-patch': ACCEPTED_CHANGES,
      etag: calls.negotiation(id).entityTag,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body: sdp,
  };
}

interface Body {
  readonly sdp: string;
  readonly session: SessionFields | null;
}

/** `application/sdp`, or a form with `sdp` and `session`. */
async function readBody(request: HttpRequest): Promise<Body> {
  const type = mediaType(request);
  if (type === 'application/sdp') return { sdp: request.body.toString('utf8'), session: null };
  if (type !== 'multipart/form-data')
    throw new RuntimeError(
      'webrtc.body_type',
      'The body is neither application/sdp nor multipart/form-data.',
      { type },
    );
  const form = await formOf(request);
  const sdp = form.get('sdp');
  const session = form.get('session');
  if (typeof sdp !== 'string') throw new RuntimeError('webrtc.no_sdp', 'The form has no field sdp.', {});
  if (session === null) return { sdp, session: null };
  const text = typeof session === 'string' ? session : await session.text();
  const json = parseJson(text);
  const checked = json.ok
    ? checkSchema(z.object({ session: sessionFieldsSchema }), { session: json.value })
    : json;
  if (!checked.ok) throw checked.error;
  return { sdp, session: checked.value.session };
}

/** Node reads forms as the browser writes them. */
async function formOf({ body, headers }: HttpRequest): Promise<FormData> {
  const asked = new Response(new Uint8Array(body), {
    headers: { 'content-type': headers.get('content-type') ?? '' },
  });
  return await asked.formData().catch(() => {
    throw new RuntimeError('webrtc.bad_form', 'The form cannot be read.', { bytes: body.length });
  });
}
