/**
 * X-Twilio-Signature: base64 of HMAC-SHA1, keyed by the account's auth token, over the URL as Twilio was given it and, for a form, its
 * fields sorted by name with nothing between (docs/spec/protocols.md §2.1).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../server/socket-server.ts';

export function twilioSignature(authToken: string, url: string, form: URLSearchParams | null = null): string {
  const fields = [...new Set(form?.keys() ?? [])].sort();
  const text = fields
    .map(name => [...new Set(form!.getAll(name))].map(value => name + value).join(''))
    .join('');
  return createHmac('sha1', authToken)
    .update(url + text)
    .digest('base64');
}

/**
 * Whether Twilio signed this request. What the URL was for Twilio a proxy may have hidden: `publicUrl` says it, else the Host, and a slash
 * at the end and the scheme are tried both ways; whoever can sign one of them knows the token.
 */
export function isSignedByTwilio(
  request: HttpRequest,
  authToken: string,
  publicUrl: string | null,
  form: URLSearchParams | null = null,
): boolean {
  const given = Buffer.from(request.headers.get('x-twilio-signature') ?? '');
  return urlsOf(request, publicUrl).some(url => {
    const wanted = Buffer.from(twilioSignature(authToken, url, form));
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  });
}

function urlsOf({ headers, path, query }: HttpRequest, publicUrl: string | null): string[] {
  const base = publicUrl?.replace(/^[a-z]+:\/\//i, '').replace(/\/+$/, '');
  const host = base ?? headers.get('x-forwarded-host') ?? headers.get('host') ?? '';
  const search = query.size > 0 ? `?${query}` : '';
  const bare = path.replace(/\/+$/, '');
  return ['wss', 'https', 'ws', 'http'].flatMap(scheme =>
    [bare, `${bare}/`].map(one => `${scheme}://${host}${one}${search}`),
  );
}
