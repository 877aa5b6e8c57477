/** Who may come in (docs/spec/protocols.md §1.1): API keys, ephemeral keys, and the origin check for browsers. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { HttpRequest } from './socket-server.ts';

/** Ephemeral keys waiting to be used; the oldest goes when one more is made. */
const MAX_EPHEMERAL_KEYS = 10_000;
/** Of the session configurations that wait with them. */
const MAX_EPHEMERAL_CHARS = 32 * 1024 * 1024;
const EPHEMERAL_PREFIX = 'ek_';
const KEY_SUBPROTOCOL = 'openai-insecure-api-key.';
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

export type Admission =
  | { readonly ok: true; readonly by: 'open' | 'key' }
  | { readonly ok: true; readonly by: 'ephemeral'; readonly session: unknown }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly message: string };

export interface AuthenticationOptions {
  readonly host: string;
  /** None = no authentication, which is allowed on loopback only. */
  readonly keys: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly clock: Clock;
}

interface EphemeralKey {
  readonly session: unknown;
  readonly chars: number;
  readonly expiresAtMs: number;
}

export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #keyDigests: readonly Buffer[];
  /** By digest, so that memory holds no usable key. */
  readonly #ephemeral = new Map<string, EphemeralKey>();
  #ephemeralChars = 0;

  /** Error `server.keys-required` when listening beyond loopback without keys. */
  constructor(options: AuthenticationOptions) {
    if (options.keys.length === 0 && !isLoopback(options.host)) {
      throw new RuntimeError(
        'server.keys-required',
        'Listening beyond loopback needs at least one API key.',
        { host: options.host },
        'Set `keys`, or listen on 127.0.0.1.',
      );
    }
    this.#options = options;
    this.#keyDigests = options.keys.map(digest);
  }

  /** Is this browser page allowed to talk to us? Requests without an Origin come from no page. */
  admitOrigin(request: HttpRequest): Admission {
    const host = request.headers.get('host') ?? '';
    if (this.#keyDigests.length === 0 && !LOOPBACK_HOSTS.has(hostName(host))) {
      // Without keys the Host is what stands between a rebound DNS name and this server.
      return {
        ok: false,
        status: 421,
        code: 'host_not_allowed',
        message: `Host ${host} is not this machine's loopback name.`,
      };
    }
    const origin = request.headers.get('origin');
    if (
      origin === undefined ||
      this.#options.allowedOrigins.includes(origin) ||
      originHost(origin) === host
    ) {
      return { ok: true, by: 'open' };
    }
    return {
      ok: false,
      status: 403,
      code: 'origin_not_allowed',
      message: `Origin ${origin} is neither this server's own nor in allowedOrigins.`,
    };
  }

  /** Checks origin and key. Ephemeral keys open conversations only, so plain requests pass `allowEphemeral` false. */
  admit(request: HttpRequest, allowEphemeral: boolean): Admission {
    const origin = this.admitOrigin(request);
    if (!origin.ok) return origin;
    const key = presentedKey(request);
    if (key === null) {
      if (this.#keyDigests.length === 0) return origin;
      return { ok: false, status: 401, code: 'missing_api_key', message: 'No API key was given.' };
    }
    const presented = digest(key);
    // Every key is compared, so that the time tells nothing about which one nearly matched.
    const matches = this.#keyDigests.map(known => timingSafeEqual(known, presented));
    if (matches.includes(true)) return { ok: true, by: 'key' };
    const ephemeral = allowEphemeral ? this.#findEphemeral(presented) : null;
    if (ephemeral) return { ok: true, by: 'ephemeral', session: ephemeral.session };
    // A key that was to bring its own session must not open another one.
    if (this.#keyDigests.length === 0 && !(allowEphemeral && key.startsWith(EPHEMERAL_PREFIX))) return origin;
    return {
      ok: false,
      status: 401,
      code: 'invalid_api_key',
      message: 'The API key is not known or has expired.',
    };
  }

  /** A key that opens conversations with this session configuration until it expires. */
  issueEphemeral(session: unknown, lifetimeMs: number): string {
    const nowMs = this.#options.clock.nowMs();
    const chars = JSON.stringify(session)?.length ?? 0;
    for (const [key, { expiresAtMs }] of this.#ephemeral) {
      const isFull =
        this.#ephemeral.size >= MAX_EPHEMERAL_KEYS || this.#ephemeralChars + chars > MAX_EPHEMERAL_CHARS;
      if (expiresAtMs <= nowMs || isFull) this.#forgetEphemeral(key);
    }
    const value = `${EPHEMERAL_PREFIX}${randomBytes(24).toString('hex')}`;
    this.#ephemeralChars += chars;
    const expiresAtMs = nowMs + lifetimeMs;
    this.#ephemeral.set(digest(value).toString('hex'), { session, chars, expiresAtMs });
    return value;
  }

  #forgetEphemeral(key: string): void {
    this.#ephemeralChars -= this.#ephemeral.get(key)!.chars;
    this.#ephemeral.delete(key);
  }

  #findEphemeral(presented: Buffer): EphemeralKey | null {
    const found = this.#ephemeral.get(presented.toString('hex'));
    return found && found.expiresAtMs > this.#options.clock.nowMs() ? found : null;
  }
}

function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The subprotocols a client offered, in its order. */
export function offeredSubprotocols(request: HttpRequest): string[] {
  const header = request.headers.get('sec-websocket-protocol') ?? '';
  return header
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
}

function presentedKey(request: HttpRequest): string | null {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.get('authorization') ?? '');
  const subprotocol = offeredSubprotocols(request).find(name => name.startsWith(KEY_SUBPROTOCOL));
  return bearer?.[1] ?? request.headers.get('api-key') ?? subprotocol?.slice(KEY_SUBPROTOCOL.length) ?? null;
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** `host[:port]` of an origin; null for `null` and other things that are no origin. */
function originHost(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host || null : null;
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}
