/**
 * Who a carrier's request says it is: by a key in the address, or by a signature over the address as the carrier knows
 * it.
 */
import type { HttpRequest } from '../server/socket-server.ts';

/** `?key=…` as a key like any other: for carriers that sign nothing and cannot set a header. */
export function withKeyOfAddress(request: HttpRequest): HttpRequest {
  const key = request.query.get('key');
  if (key === null) return request;
  return { ...request, headers: new Map([...request.headers, ['api-key', key]]) };
}

/**
 * What the URL may have been for the carrier, without its query. A proxy may have hidden it: `publicUrl` says it, else
 * the Host, and a slash at the end and the scheme are tried both ways; whoever can sign one of them has the secret.
 */
export function urlsOf({ headers, path }: HttpRequest, publicUrl: string | null): string[] {
  const base = publicUrl?.replace(/^[a-z]+:\/\//i, '').replace(/\/+$/, '');
  const host = base ?? headers.get('x-forwarded-host') ?? headers.get('host') ?? '';
  const bare = path.replace(/\/+$/, '');
  return ['wss', 'https', 'ws', 'http'].flatMap(scheme =>
    [bare, `${bare}/`].map(one => `${scheme}://${host}${one}`),
  );
}

/** Where the carrier shall connect to, on this server: `path` with the scheme `ws` or `wss`. */
export function streamUrl({ headers }: HttpRequest, publicUrl: string | null, path: string): string {
  // Behind a proxy that ends TLS the scheme is what it says.
  const scheme = headers.get('x-forwarded-proto') === 'https' ? 'https' : 'http';
  const seen = `${scheme}://${headers.get('x-forwarded-host') ?? headers.get('host') ?? ''}`;
  const base = publicUrl?.replace(/\/+$/, '') ?? seen;
  return `${base.replace(/^http/i, 'ws')}${path}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** An answer in the XML by which a carrier is told what to do with a call. */
export const escapedXml = (text: string) => text.replaceAll(/[&<>"']/g, sign => ESCAPES[sign]);

export function xmlAnswer(response: string) {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml; charset=utf-8', 'cache-control': 'no-store' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Response>${response}</Response>\n`,
  };
}
