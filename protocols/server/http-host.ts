/** The route table of the one HTTP and WebSocket server: doors register what they answer before it listens. */
import type { Logger } from '../../actors/core/logger.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { guardedListener } from '../guard/index.ts';
import type { Metrics } from './metrics.ts';
import {
  type Connection,
  type ConnectionListener,
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  methodNotAllowed,
  type UpgradeDecision,
} from './socket-server.ts';

/** A path as it stands in the request line, or a pattern of paths. */
export type PathPattern = string | RegExp;
/** Null: any method, and the handler says which. */
export type Methods = readonly string[] | null;
export type Handler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;
export type Upgrade = (request: HttpRequest) => UpgradeDecision;

export interface HttpHost {
  /** Errors `server.route-taken` for a path that another door answers. HEAD comes with GET. */
  route(methods: Methods, path: PathPattern, handler: Handler): void;
  upgrade(path: PathPattern, handler: Upgrade): void;
  /** What answers where no route does. */
  otherwise(handler: Handler): void;
}

/** Told of every connection and of every upgrade that is refused. */
type UpgradeCounts = Pick<Metrics, 'connectionOpened' | 'connectionRefused'>;

interface Route<T> {
  readonly path: PathPattern;
  readonly methods: Methods;
  readonly handler: T;
}

export class RouteTable implements HttpHost {
  readonly #log: Logger;
  readonly #metrics: UpgradeCounts;
  readonly #routes: Route<Handler>[] = [];
  readonly #upgrades: Route<Upgrade>[] = [];
  #otherwise: Handler = () => errorAnswer(404, 'not_found', 'There is no such endpoint.');

  constructor(log: Logger, metrics: UpgradeCounts) {
    this.#log = log;
    this.#metrics = metrics;
  }

  route(methods: Methods, path: PathPattern, handler: Handler): void {
    add(this.#routes, { path, methods, handler });
  }

  upgrade(path: PathPattern, handler: Upgrade): void {
    add(this.#upgrades, { path, methods: null, handler });
  }

  otherwise(handler: Handler): void {
    this.#otherwise = handler;
  }

  /** Whether a route or an upgrade is registered for it. */
  readonly has = (path: string): boolean => Boolean(find(this.#routes, path) ?? find(this.#upgrades, path));

  /** A plain request. Never rejects. */
  readonly answer = async (request: HttpRequest): Promise<HttpAnswer> => {
    try {
      const entry = find(this.#routes, request.path);
      if (!entry) return await this.#otherwise(request);
      const { methods, handler } = entry;
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      if (methods && !methods.includes(method)) return methodNotAllowed(request.method, allowed(methods));
      return await handler(request);
    } catch (error) {
      this.#log.error({ err: error, path: request.path }, 'A request failed.');
      return internalError();
    }
  };

  /** A request for a WebSocket. What its listener throws is that connection's own end. */
  readonly decide = (request: HttpRequest): UpgradeDecision => {
    const decision = this.#decide(request);
    if (!decision.accept) {
      this.#metrics.connectionRefused(String(decision.answer.status));
      return decision;
    }
    const onFault = (error: unknown) => this.#log.error({ err: error }, 'A connection failed.');
    return {
      ...decision,
      onOpen: (connection: Connection): ConnectionListener => {
        this.#metrics.connectionOpened();
        return guardedListener(connection, () => decision.onOpen(connection), onFault);
      },
    };
  };

  #decide(request: HttpRequest): UpgradeDecision {
    try {
      const entry = find(this.#upgrades, request.path);
      return entry
        ? entry.handler(request)
        : refuse(errorAnswer(404, 'not_found', 'There is no such endpoint.'));
    } catch (error) {
      this.#log.error({ err: error, path: request.path }, 'An upgrade failed.');
      return refuse(internalError());
    }
  }
}

export function refuse(answer: HttpAnswer): UpgradeDecision {
  return { accept: false, answer };
}

function internalError(): HttpAnswer {
  return errorAnswer(500, 'internal_error', 'The server failed on this request.');
}

function allowed(methods: readonly string[]): string {
  return methods.flatMap(method => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
}

function add<T>(entries: Route<T>[], entry: Route<T>): void {
  if (entries.some(({ path }) => String(path) === String(entry.path))) {
    throw new RuntimeError(
      'server.route-taken',
      'Two doors answer the same path.',
      { path: String(entry.path) },
      'Give one of them another path.',
    );
  }
  entries.push(entry);
}

function find<T>(entries: readonly Route<T>[], path: string): Route<T> | undefined {
  return entries.find(entry =>
    typeof entry.path === 'string' ? entry.path === path : entry.path.test(path),
  );
}
