/**
 * X-Plivo-Signature-V3, as Plivo's own libraries make it: base64 of HMAC-SHA256, keyed by the auth token, over the URL
 * with its query sorted, for a form `?` (or the query and `.`) and its fields sorted by name with nothing between, then
 * `.` and the nonce of the request.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../server/socket-server.ts';
import { urlsOf } from '../telephone/index.ts';

export interface PlivoSigned {
  readonly url: string;
  readonly nonce: string;
  readonly query?: URLSearchParams;
  readonly form?: URLSearchParams;
}

export function plivoSignature(authToken: string, { url, nonce, query, form }: PlivoSigned): string {
  const search = sortedPairs(query).map(([name, value]) => `${name}=${value}`);
  const fields = sortedPairs(form).map(([name, value]) => name + value);
  const mark = search.length > 0 || fields.length > 0 ? '?' : '';
  const between = search.length > 0 && fields.length > 0 ? '.' : '';
  const text = `${url}${mark}${search.join('&')}${between}${fields.join('')}.${nonce}`;
  return createHmac('sha256', authToken).update(text).digest('base64');
}

/** Whether Plivo signed this request; an account with several tokens sends as many signatures, separated by commas. */
export function isSignedByPlivo(
  request: HttpRequest,
  authToken: string,
  publicUrl: string | null,
  form?: URLSearchParams,
): boolean {
  const { headers, query } = request;
  const nonce = headers.get('x-plivo-signature-v3-nonce');
  const names = ['x-plivo-signature-v3', 'x-plivo-signature-ma-v3'];
  const given = names.flatMap(name => (headers.get(name) ?? '').split(',').slice(0, 8));
  if (nonce === undefined) return false;
  return urlsOf(request, publicUrl).some(url => {
    const wanted = Buffer.from(plivoSignature(authToken, { url, nonce, query, form }));
    return given.some(one => {
      const signature = Buffer.from(one.trim());
      return signature.length === wanted.length && timingSafeEqual(signature, wanted);
    });
  });
}

function sortedPairs(parameters: URLSearchParams | undefined): [string, string][] {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...(parameters ?? [])].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
}
