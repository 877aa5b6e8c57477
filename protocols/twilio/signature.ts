/**
 * X-Twilio-Signature: base64 of HMAC-SHA1, keyed by the account's auth token, over the URL as Twilio was given it and,
 * for a form, its fields sorted by name with nothing between (docs/spec/protocols.md §2.1).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../server/socket-server.ts';
import { urlsOf } from '../telephone/index.ts';

export function twilioSignature(authToken: string, url: string, form: URLSearchParams | null = null): string {
  const fields = [...new Set(form?.keys() ?? [])].sort();
  const text = fields
    .map(name => [...new Set(form!.getAll(name))].map(value => name + value).join(''))
    .join('');
  return createHmac('sha1', authToken)
    .update(url + text)
    .digest('base64');
}

/** Whether Twilio signed this request. */
export function isSignedByTwilio(
  request: HttpRequest,
  authToken: string,
  publicUrl: string | null,
  form: URLSearchParams | null = null,
): boolean {
  const given = Buffer.from(request.headers.get('x-twilio-signature') ?? '');
  const search = request.query.size > 0 ? `?${request.query}` : '';
  return urlsOf(request, publicUrl).some(url => {
    const wanted = Buffer.from(twilioSignature(authToken, url + search, form));
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  });
}
