/**
 * Clients name the same endpoint in several ways: with a slash at its end, under Azure's `/openai`, and there without a
 * version where the version is a query parameter (`/openai/realtime?api-version=…`). Calls are another door's
 * (`webrtc/`).
 */
export const API_PATHS =
  /^\/(?:openai\/v1|openai|v1)(?<rest>\/(?:realtime(?!\/calls)|models)(?:\/[^/]+)*?)\/*$/;

/** The one name of the endpoint. Null for none of them. */
export function apiPath(path: string): string | null {
  const found = API_PATHS.exec(path)?.groups;
  return found ? `/v1${found.rest}` : null;
}
