import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Clock } from '../actors/core/clock.ts';
import { type Logger, silentLogger, unixTimeMs } from '../actors/core/index.ts';
import type { Runtime, SessionSettings } from '../actors/session-api.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';
import type { CallEvents } from './call-events.ts';
import type { Door, DoorContext, DoorLimits, OpenDoor } from './door.ts';
import { WorkQuota } from './guard/index.ts';
import { type ResponsesEndpoint, responsesEndpoint } from './live/index.ts';
import { liveDoor } from './live/live-door.ts';
import { AllowedAddresses } from './mcp/index.ts';
import { MAX_FRAME_BYTES } from './realtime/client-events.ts';
import { PictureDecoder } from './realtime/pictures.ts';
import { realtimeDoor } from './realtime/realtime-door.ts';
import { attachToServer } from './server/attached-server.ts';
import { Authentication } from './server/authentication.ts';
import { startSocketServer } from './server/choose-server.ts';
import { addHouseRoutes } from './server/house-routes.ts';
import { RouteTable } from './server/http-host.ts';
import { Metrics } from './server/metrics.ts';
import { Readiness } from './server/readiness.ts';
import type { SocketServerKind, TlsFiles } from './server/socket-server.ts';
import type { Serving } from './server/topology.ts';
import { Switchboard } from './switchboard.ts';
import { type RunningCalls, type WebRtcOptions, webRtcDoor } from './webrtc/index.ts';

export interface ServerOptions {
  readonly runtime: Runtime;
  /** The operator's settings, with which every session starts. */
  readonly sessionDefaults?: Partial<SessionSettings>;
  /** What answers, for `session.model` and `/healthz`. */
  readonly modelName: string;
  readonly engineKind: string;
  /** Where the components are, for `/topology`; absent: nothing is told of it. */
  readonly serving?: Serving;
  /** Of the largest picture that the model looks at; absent: the published model's. */
  readonly maxPicturePixels?: number;
  readonly clock: Clock;
  /** Unix time in milliseconds, for `expires_at`. */
  readonly unixTimeMs?: () => number;
  /** Absent: nothing is logged. */
  readonly log?: Logger;
  /** Absent: loopback alone. */
  readonly host?: string;
  /** 0, or absent, takes a free one. */
  readonly port?: number;
  /**
   * A server of your own (node:http, Express, Fastify): the doors, health and metrics live in it at their paths, its
   * own listeners keep all others, and whether it listens is yours; `port`, TLS and the page are not used.
   */
  readonly httpServer?: Server;
  /** PEM files, both or none: with them the server speaks https and wss only. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** API keys; none = no authentication, on loopback only. */
  readonly keys?: readonly string[];
  /** Browser origins allowed beside the served page's own. */
  readonly allowedOrigins?: readonly string[];
  /**
   * Addresses, each with all below it, of MCP servers that clients may have this process reach; absent: none. Error
   * `mcp.allow-invalid`.
   */
  readonly mcpAllow?: readonly string[];
  /** Folder of the page; absent: the package's own. */
  readonly webRoot?: string;
  /** `auto`: uWebSockets.js where it loads, else `ws`. Error `server.uws-missing`. */
  readonly socketServer?: SocketServerKind | 'auto';
  readonly limits?: Partial<ServerLimits>;
  /**
   * Calls over WebRTC at `/v1/realtime/calls` and `/whip`; absent: none. Error `webrtc.missing` where its libraries are
   * not installed.
   */
  readonly webRtc?: WebRtcOptions;
  /** What answers delegations to `responses` of GPT-Live sessions; absent: they are refused. */
  readonly responses?: ResponsesEndpoint | undefined;
  /** Beside the doors of the Realtime protocol. */
  readonly doors?: readonly Door[];
  /** Told what happens in telephone calls. */
  readonly callEvents?: CallEvents;
}

/** 5832 patches of 14 × 14 (docs/spec/model.md §2.2). */
const LARGEST_MODEL_PICTURE_PIXELS = 5832 * 14 * 14;

interface ServerLimits extends DoorLimits {
  /** A longer frame closes its connection with 1009. */
  readonly maxFrameBytes: number;
  readonly maxBodyBytes: number;
  /** A peer that answers no ping for this long is gone. */
  readonly deadAfterMs: number;
}

type Resolved = ServerOptions & Required<Pick<ServerOptions, keyof typeof DEFAULTS>>;

const DEFAULTS = {
  unixTimeMs,
  log: silentLogger,
  host: '127.0.0.1',
  port: 0,
  keys: [],
  allowedOrigins: [],
  mcpAllow: [],
  webRoot: `${PACKAGE_ROOT}web/`,
};

const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxUnsentBytes: 4 * 1024 * 1024,
  idleMs: 10 * 60_000,
  lifetimeMs: 60 * 60_000,
  maxFrameBytes: MAX_FRAME_BYTES,
  maxBodyBytes: 1024 * 1024,
  deadAfterMs: 60_000,
};

export interface RunningServer {
  readonly url: string;
  readonly socketServer: SocketServerKind;
  /**
   * No new sessions from now on, `/readyz` says 503. Resolves when the last session has ended, at the latest after
   * `limitMs`.
   */
  drain(limitMs: number): Promise<void>;
  /** Closes connections and their sessions; the runtime stays the caller's. */
  close(): Promise<void>;
}

/**
 * The page, the Realtime protocol, `/healthz`, `/readyz` and `/metrics` on one port.
 * Errors: `server.keys-required` beyond loopback without keys, `server.tls-files`, `server.port-in-use`.
 */
export async function startServer(given: ServerOptions): Promise<RunningServer> {
  const options: Resolved = { ...DEFAULTS, ...given };
  const { runtime, modelName, engineKind, clock, log, host, webRoot } = options;
  const limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits };
  const tls = tlsFiles(options);
  const context = doorContext(options, limits);
  const { authentication, host: routes, metrics, readiness, switchboard } = context;
  let serverKind: SocketServerKind = 'ws';
  const serving = options.serving ?? new Map();
  const house = { runtime, modelName, engineKind, serving, authentication, readiness, metrics, webRoot };
  const webRtc = options.webRtc !== undefined;
  const phoneCalls = () => (routes.has('/calls') ? switchboard.entries().length : null);
  addHouseRoutes(routes, {
    ...{ ...house, webRtc, phoneCalls },
    limits: context.limits,
    serverKind: () => serverKind,
  });
  const doors = await openDoors([...conversationDoors(options, context), ...(options.doors ?? [])], context);
  const sockets = {
    host,
    port: options.port,
    tls,
    clock,
    maxMessageBytes: limits.maxFrameBytes,
    maxBodyBytes: limits.maxBodyBytes,
    deadAfterMs: limits.deadAfterMs,
    onRequest: routes.answer,
    onUpgrade: routes.decide,
  };
  const server = options.httpServer
    ? attachToServer(options.httpServer, sockets, routes.has)
    : await startSocketServer(options.socketServer ?? 'auto', sockets, log).catch(async error => {
        await closeDoors(doors);
        throw error;
      });
  serverKind = server.kind;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    get url() {
      return `${tls ? 'https' : 'http'}://${name}:${server.port}`;
    },
    socketServer: server.kind,
    drain: limitMs => readiness.drain(limitMs),
    async close() {
      await closeDoors(doors);
      await server.close();
    },
  };
}

function doorContext(options: Resolved, limits: ServerLimits): DoorContext & { readonly host: RouteTable } {
  const { runtime, modelName, clock, unixTimeMs, log } = options;
  const { maxUnsentBytes, idleMs, lifetimeMs } = limits;
  const quota = new WorkQuota(clock);
  const metrics = new Metrics(runtime, () => quota.room.bytes);
  return {
    host: new RouteTable(log, metrics),
    runtime,
    sessionDefaults: options.sessionDefaults ?? {},
    modelName,
    clock,
    unixTimeMs,
    log,
    metrics,
    readiness: new Readiness(runtime, clock),
    authentication: new Authentication(options),
    quota,
    limits: { maxUnsentBytes, idleMs, lifetimeMs },
    switchboard: new Switchboard(unixTimeMs),
    callEvents: options.callEvents,
  };
}

/**
 * OpenAI's protocols over WebSocket, and over WebRTC where it is offered: the same sessions, one bound for their
 * pictures.
 */
function conversationDoors(
  { maxPicturePixels, mcpAllow, responses, webRtc }: Resolved,
  context: DoorContext,
): Door[] {
  const pictures = new PictureDecoder(maxPicturePixels ?? LARGEST_MODEL_PICTURE_PIXELS);
  const realtime = { ...context, pictures, mcpAllow: new AllowedAddresses(mcpAllow) };
  const live = { ...context, backend: responses && responsesEndpoint(responses) };
  let calls: RunningCalls | null = null;
  const overWebSocket = [
    realtimeDoor(realtime, callId => calls?.find(callId) ?? null),
    liveDoor(live, () => calls?.live ?? null),
  ];
  if (!webRtc) return overWebSocket;
  const overWebRtc = webRtcDoor(webRtc, realtime, live, running => {
    calls = running;
  });
  return [overWebRtc, ...overWebSocket];
}

/** All of them, or none. */
async function openDoors(doors: readonly Door[], context: DoorContext): Promise<OpenDoor[]> {
  const open: OpenDoor[] = [];
  try {
    for (const door of doors) open.push(await door.open(context));
    return open;
  } catch (error) {
    await closeDoors(open);
    throw error;
  }
}

async function closeDoors(doors: readonly OpenDoor[]): Promise<void> {
  for (const door of doors) await door.close();
}

function tlsFiles({ tlsCert, tlsKey }: ServerOptions): TlsFiles | null {
  if (!tlsCert && !tlsKey) return null;
  for (const file of [tlsCert, tlsKey]) {
    if (file && existsSync(file)) continue;
    throw new RuntimeError(
      'server.tls-files',
      'TLS needs a certificate and its key.',
      { tlsCert, tlsKey },
      'Give the paths of two PEM files, or neither.',
    );
  }
  return { certFile: tlsCert!, keyFile: tlsKey! };
}
