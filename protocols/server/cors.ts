/** What a page of an allowed origin needs to ask from another one, and to read where its call is. */
import type { Authentication } from './authentication.ts';
import type { HttpAnswer, HttpRequest } from './socket-server.ts';
import { admissionRefusal } from './socket-server.ts';

export function corsHeaders(
  request: HttpRequest,
  authentication: Authentication,
  methods: string,
): Record<string, string> {
  const origin = request.headers.get('origin');
  if (origin === undefined || !authentication.admitOrigin(request).ok) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-headers': 'authorization, content-type, x-openai-agents-sdk, user-agent, if-match',
    'access-control-allow-methods': methods,
    'access-control-expose-headers': 'location, etag',
    vary: 'origin',
  };
}

/** The preflight of a page; it carries no key. */
export function preflight(
  request: HttpRequest,
  authentication: Authentication,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const origin = authentication.admitOrigin(request);
  return origin.ok ? emptyAnswer(204, headers) : admissionRefusal(origin);
}

export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { 'cache-control': 'no-store', ...headers }, body: '' };
}
