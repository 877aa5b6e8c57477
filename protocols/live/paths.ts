/** Clients reach the API at `/v1` or, on Azure, at `/openai/v1`, with or without a slash at the end. */
export const LIVE_PATHS = /^\/(?:openai\/)?v1\/live\/sessions(?<rest>(?:\/[^/]+){0,2})\/*$/;

/**
 * What is meant: the sessions themselves (`''`), or something of one of them (`'attach'`, `'fork'`, …). Null for none
 * of the paths.
 */
export function livePath(path: string): { readonly sessionId: string | null; readonly part: string } | null {
  const rest = LIVE_PATHS.exec(path)?.groups?.rest;
  if (rest === undefined) return null;
  const [, sessionId = null, part = ''] = rest.split('/');
  return { sessionId, part };
}
