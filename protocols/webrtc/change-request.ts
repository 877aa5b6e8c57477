/** `PATCH` on what an offer opened: candidates (RFC 9725 §4.3), or another offer. */
import { emptyAnswer } from '../server/cors.ts';
import { errorAnswer, type HttpAnswer, type HttpRequest } from '../server/socket-server.ts';
import type { Negotiation } from './negotiation.ts';

export const ACCEPTED_CHANGES = 'application/trickle-ice-sdpfrag, application/sdp';

export async function changeBy(request: HttpRequest, negotiation: Negotiation): Promise<HttpAnswer> {
  const body = request.body.toString('utf8');
  const type = mediaType(request);
  if (type === 'application/trickle-ice-sdpfrag') {
    const wanted = request.headers.get('if-match') ?? null;
    if (wanted !== null && wanted !== '*' && wanted !== negotiation.entityTag)
      return errorAnswer(412, 'ice_session_changed', 'ICE was restarted since this candidate was found.');
    const { fragment } = await negotiation.fragment(body, wanted);
    if (fragment === null) return emptyAnswer(204);
    return {
      status: 200,
      headers: { 'content-type': type, etag: negotiation.entityTag, 'cache-control': 'no-store' },
      body: fragment,
    };
  }
  if (type !== 'application/sdp')
    return unsupported('Send application/trickle-ice-sdpfrag, or application/sdp.');
  const sdp = await negotiation.change(body);
  return {
    status: 200,
    headers: { 'content-type': 'application/sdp', 'cache-control': 'no-store' },
    body: sdp,
  };
}

export function mediaType({ headers }: HttpRequest): string {
  return (headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
}

const unsupported = (message: string) => errorAnswer(415, 'unsupported_media_type', message);
