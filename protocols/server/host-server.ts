/** What a host of components tells over HTTP (docs/elsewhere.md): health, readiness and metrics, as a server does. */
import type { Clock } from '../../actors/core/clock.ts';
import type { Logger } from '../../actors/core/logger.ts';
import { notServing, type RuntimeHealth } from '../../actors/health.ts';
import type { HostMetrics } from '../telemetry/host-metrics.ts';
import { Authentication } from './authentication.ts';
import { RouteTable } from './http-host.ts';
import { admissionRefusal, errorAnswer, jsonAnswer, type SocketServer } from './socket-server.ts';
import { startWsServer } from './ws-server.ts';

export interface HostServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** None: no authentication, on loopback only. */
  readonly keys: readonly string[];
  readonly name: string;
  readonly health: RuntimeHealth;
  readonly metrics: HostMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

const NO_BODY = 1024;
const DEAD_AFTER_MS = 60_000;
/** Nobody comes by WebSocket. */
const UNCOUNTED = { connectionOpened() {}, connectionRefused() {} };

/** Errors: `server.keys-required` beyond loopback without keys, `server.port-in-use`. */
export async function startHostServer(options: HostServerOptions): Promise<SocketServer> {
  const { host, port, keys, name, health, metrics, clock, log } = options;
  const authentication = new Authentication({ host, keys, allowedOrigins: [], clock });
  const routes = new RouteTable(log, UNCOUNTED);
  routes.route(['GET'], '/healthz', () => jsonAnswer(200, { status: 'ok', host: name }));
  routes.route(['GET'], '/readyz', () => {
    const isReady = notServing(health).length === 0;
    const components = Object.fromEntries(health.components);
    return jsonAnswer(isReady ? 200 : 503, {
      status: isReady ? 'ready' : 'not_ready',
      host: name,
      components,
    });
  });
  routes.route(['GET'], '/metrics', async request => {
    const admission = authentication.admit(request, false);
    if (!admission.ok) return admissionRefusal(admission);
    const headers = { 'content-type': metrics.contentType, 'cache-control': 'no-store' };
    return { status: 200, headers, body: await metrics.text() };
  });
  return startWsServer({
    ...{ host, port, tls: null, clock },
    ...{ maxMessageBytes: NO_BODY, maxBodyBytes: NO_BODY, deadAfterMs: DEAD_AFTER_MS },
    onRequest: routes.answer,
    onUpgrade: () => ({ accept: false, answer: errorAnswer(404, 'not_found', 'There is no such endpoint.') }),
  });
}
