/**
 * What the doors need of an HTTP and WebSocket server. Two implementations answer it: uWebSockets.js where its binary
 * loads, `ws` on node:http elsewhere; one test suite holds both to the same behaviour.
 */

import type { Clock } from '../../actors/core/clock.ts';
import type { Connection, ConnectionListener } from '../connection.ts';

export type { Connection, ConnectionListener };

export interface SocketServer {
  readonly kind: SocketServerKind;
  readonly port: number;
  /** Stops listening, closes every connection with 1001 and resolves when the port is free. */
  close(): Promise<void>;
}

/** Room for the headers of a request: keys may be tokens of some kilobytes. */
export const MAX_HEADER_BYTES = 64 * 1024;

export type SocketServerKind = 'uws' | 'ws';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface SocketServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM files; null = no TLS. */
  readonly tls: TlsFiles | null;
  /** A longer frame closes its connection with 1009. */
  readonly maxMessageBytes: number;
  /** Bodies of plain requests; a longer one is answered with 413. */
  readonly maxBodyBytes: number;
  /** A connection that answers no ping for this long is dead and is closed with 1006. */
  readonly deadAfterMs: number;
  readonly clock: Clock;
  readonly onRequest: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly onUpgrade: (request: HttpRequest) => UpgradeDecision;
}

export interface HttpRequest {
  readonly method: string;
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export type UpgradeDecision =
  | { readonly accept: false; readonly answer: HttpAnswer }
  | {
      readonly accept: true;
      /** Must be one of those the client offered; null = none. */
      readonly subprotocol: string | null;
      /** A longer frame closes the connection with 1009; absent: as the server has it. */
      readonly maxMessageBytes?: number;
      readonly onOpen: (connection: Connection) => ConnectionListener;
    };

export const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  426: 'Upgrade Required',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TOO_BIG = 1009;

export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/** An error in the shape the OpenAI clients print. */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  return jsonAnswer(status, { error: { type, code, message, param: null } }, headers);
}

/** What a caller is told that may not come in. */
export function admissionRefusal(refused: {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}): HttpAnswer {
  const { status, code, message } = refused;
  const headers: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  return errorAnswer(status, code, message, headers);
}

export function bodyTooLarge(maxBodyBytes: number): HttpAnswer {
  return errorAnswer(413, 'body_too_large', `The body exceeds ${maxBodyBytes} bytes.`);
}

/** `allow`: the methods there are, as the header has them. */
export function methodNotAllowed(method: string, allow: string): HttpAnswer {
  return errorAnswer(405, 'method_not_allowed', `${method} is not allowed here.`, { allow });
}
