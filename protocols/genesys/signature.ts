/**
 * What Genesys signed (RFC 9421, HMAC-SHA256): where it connects to, for which organisation and session, and with which
 * key; for a few seconds, and once.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../server/socket-server.ts';

const MUST_COVER = [
  '@request-target',
  '@authority',
  'audiohook-organization-id',
  'audiohook-session-id',
  'audiohook-correlation-id',
  'x-api-key',
];
const MAX_AGE_S = 30;
const MAX_SKEW_S = 5;
const MAX_NONCES = 10_000;

export interface SignedParts {
  readonly names: readonly string[];
  /** As they stand in `Signature-Input`, names included. */
  readonly input: string;
  readonly value: (name: string) => string | undefined;
}

/** `secret` is base64. */
export function genesysSignature(secret: string, { input, names, value }: SignedParts): string {
  const lines = names.map(name => `"${name}": ${value(name) ?? ''}`);
  const base = [...lines, `"@signature-params": ${input}`].join('\n');
  return createHmac('sha256', Buffer.from(secret, 'base64')).update(base).digest('base64');
}

export class GenesysSignatures {
  readonly #secret: string;
  readonly #publicHost: string | null;
  readonly #unixTimeMs: () => number;
  /** That were used, with the second at which they are too old anyway. */
  readonly #nonces = new Map<string, number>();

  constructor(secret: string, publicUrl: string | null, unixTimeMs: () => number) {
    this.#secret = secret;
    this.#publicHost = publicUrl === null ? null : new URL(publicUrl).host;
    this.#unixTimeMs = unixTimeMs;
  }

  isSigned({ headers, path, query }: HttpRequest): boolean {
    const signature = /^([\w*-]+)=:([A-Za-z0-9+/]+=*):$/.exec(headers.get('signature') ?? '');
    const input = /^([\w*-]+)=(\(([^()]*)\)(.*))$/.exec(headers.get('signature-input') ?? '');
    if (!signature || !input || signature[1] !== input[1]) return false;
    const names = [...input[3].matchAll(/"([^"]+)"/g)].map(([, name]) => name);
    if (!MUST_COVER.every(name => names.includes(name)) || names.length > 32) return false;
    const host = this.#publicHost ?? headers.get('host') ?? '';
    const target = query.size === 0 ? path : `${path}?${query}`;
    const value = (name: string) =>
      name === '@request-target' ? target : name === '@authority' ? host : headers.get(name);
    const wanted = Buffer.from(genesysSignature(this.#secret, { names, input: input[2], value }));
    const given = Buffer.from(signature[2]);
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return false;
    return this.#isFresh(input[4]);
  }

  #isFresh(parameters: string): boolean {
    const nowS = this.#unixTimeMs() / 1000;
    const number = (name: string) =>
      Number(new RegExp(`;${name}=(\\d{1,15})`).exec(parameters)?.[1] ?? Number.NaN);
    const [created, expires] = [number('created'), number('expires')];
    const nonce = /;nonce="([^"]{8,256})"/.exec(parameters)?.[1];
    // Whatever it says of its end: what is old is old.
    if (!(created >= nowS - MAX_AGE_S && created <= nowS + MAX_SKEW_S) || expires < nowS || !nonce)
      return false;
    for (const [known, untilS] of this.#nonces)
      if (untilS < nowS || this.#nonces.size >= MAX_NONCES) this.#nonces.delete(known);
      else break;
    if (this.#nonces.has(nonce)) return false;
    this.#nonces.set(nonce, created + MAX_AGE_S);
    return true;
  }
}
