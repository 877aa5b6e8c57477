/** What the server itself answers beside the doors: health, readiness, metrics and the page. */
import type { Runtime } from '../../actors/session-api.ts';
import type { Authentication } from './authentication.ts';
import type { HttpHost } from './http-host.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import { admissionRefusal, jsonAnswer, type SocketServerKind } from './socket-server.ts';
import { serveFile } from './static-files.ts';
import { type Serving, topology } from './topology.ts';

export interface HouseRoutesOptions {
  readonly runtime: Runtime;
  readonly modelName: string;
  readonly engineKind: string;
  /** Of one connection, for `/healthz`. */
  readonly limits: object;
  readonly authentication: Authentication;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly webRoot: string;
  readonly serverKind: () => SocketServerKind;
  /** Calls over WebRTC are taken. */
  readonly webRtc: boolean;
  /** That are up; null: no telephone door is open. */
  readonly phoneCalls: () => number | null;
  readonly serving: Serving;
}

export function addHouseRoutes(host: HttpHost, options: HouseRoutesOptions): void {
  const { authentication, metrics, modelName, readiness, runtime, serving, webRoot } = options;
  host.route(['GET'], '/healthz', () => jsonAnswer(200, health(options)));
  host.route(['GET'], '/readyz', () => readiness.answer());
  host.route(['GET'], '/metrics', async request => {
    const admission = authentication.admit(request, false);
    if (!admission.ok) return admissionRefusal(admission);
    const headers = {
      'content-type': metrics.contentType,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    };
    return { status: 200, headers, body: await metrics.text() };
  });
  host.route(['GET'], '/topology', request => {
    if (request.headers.get('accept')?.includes('text/html'))
      return serveFile(webRoot, { ...request, path: '/topology.html' });
    const admission = authentication.admit(request, false);
    return admission.ok
      ? jsonAnswer(200, topology(runtime, modelName, serving))
      : admissionRefusal(admission);
  });
  host.otherwise(request => serveFile(webRoot, request));
}

/** The process is alive; whether it serves is `/readyz`'s to say. */
function health({ phoneCalls, runtime, modelName, engineKind, limits, ...more }: HouseRoutesOptions): object {
  return {
    status: 'ok',
    model: modelName,
    engine: engineKind,
    server: more.serverKind(),
    webrtc: more.webRtc,
    phone_calls: phoneCalls(),
    sessions: runtime.sessions.size,
    limits: { ...runtime.limits, ...limits },
  };
}
