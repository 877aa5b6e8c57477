/**
 * Clients name the same endpoint in several ways: with a slash at its end, under Azure's `/openai`, and there without a version
 * where the version is a query parameter (`/openai/realtime?api-version=…`). Null for none of them.
 */
export function apiPath(path: string): string | null {
  const found = /^(?<azure>\/openai)?(?<version>\/v1)?(?<rest>\/(?:realtime|models)(?:\/[^/]+)*?)\/*$/.exec(
    path,
  )?.groups;
  if (!found || (!found.azure && !found.version)) return null;
  return `/v1${found.rest}`;
}
