/**
 * Digest authentication (RFC 7616, RFC 8760): asking for it, giving it. MD5 because most telephones know nothing else.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { splitList } from './headers.ts';

export type DigestAlgorithm = 'MD5' | 'SHA-256';

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly algorithm: DigestAlgorithm;
  readonly isSession: boolean;
  readonly hasQop: boolean;
}

const hash = (algorithm: DigestAlgorithm, text: string): string =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');

/** The parameters of a `Digest …` field; null: another scheme. */
function digestParams(field: string): ReadonlyMap<string, string> | null {
  const match = /^Digest\s+(.*)$/is.exec(field.trim());
  if (!match) return null;
  const params = new Map<string, string>();
  for (const part of splitList(match[1]).slice(0, 32)) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const value = part.slice(equals + 1).trim();
    params.set(
      part.slice(0, equals).trim().toLowerCase(),
      value.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/g, '$1'),
    );
  }
  return params;
}

/** The strongest of those that are understood; null: none is. */
export function chooseChallenge(fields: readonly string[]): Challenge | null {
  const understood = fields.flatMap(field => {
    const params = digestParams(field);
    const [, name, session] = /^(MD5|SHA-256)(-sess)?$/i.exec(params?.get('algorithm') ?? 'MD5') ?? [];
    if (!params || !name) return [];
    const qop = params.get('qop');
    if (qop !== undefined && !qop.split(',').some(one => one.trim().toLowerCase() === 'auth')) return [];
    return [
      {
        realm: params.get('realm') ?? '',
        nonce: params.get('nonce') ?? '',
        opaque: params.get('opaque') ?? null,
        algorithm: name.toUpperCase() as DigestAlgorithm,
        isSession: session !== undefined,
        hasQop: qop !== undefined,
      },
    ];
  });
  return understood.find(({ algorithm }) => algorithm === 'SHA-256') ?? understood[0] ?? null;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface Asked {
  readonly method: string;
  readonly uri: string;
}

/** The field that answers a challenge. */
export function authorization(
  challenge: Challenge,
  { user, password }: Credentials,
  { method, uri }: Asked,
  cnonce: string,
  count = 1,
): string {
  const { algorithm, hasQop, isSession, nonce, opaque, realm } = challenge;
  const nc = count.toString(16).padStart(8, '0');
  const params = { user, realm, nonce, uri, nc, cnonce, hasQop, isSession };
  const response = responseOf(algorithm, params, hash(algorithm, `${user}:${realm}:${password}`), method);
  return [
    `Digest username="${quoted(user)}"`,
    `realm="${quoted(realm)}"`,
    `nonce="${quoted(nonce)}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    `algorithm=${algorithm}${isSession ? '-sess' : ''}`,
    ...(opaque === null ? [] : [`opaque="${quoted(opaque)}"`]),
    ...(hasQop ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
    ...(isSession && !hasQop ? [`cnonce="${cnonce}"`] : []),
  ].join(', ');
}

const quoted = (text: string): string => text.replace(/["\\]/g, '\\$&');

interface ResponseParams {
  readonly nonce: string;
  readonly uri: string;
  readonly nc: string;
  readonly cnonce: string;
  readonly hasQop: boolean;
  readonly isSession: boolean;
}

function responseOf(
  algorithm: DigestAlgorithm,
  params: ResponseParams,
  secret: string,
  method: string,
): string {
  const { nonce, uri, nc, cnonce, hasQop, isSession } = params;
  const a1 = isSession ? hash(algorithm, `${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = hash(algorithm, `${method}:${uri}`);
  const middle = hasQop ? `${nonce}:${nc}:${cnonce}:auth` : nonce;
  return hash(algorithm, `${a1}:${middle}:${a2}`);
}

export type Verdict = 'right' | 'wrong' | 'stale' | 'missing';

/** A nonce is good for so long. */
const NONCE_MS = 60_000;
/** Nonces of which is known which counts were used. */
const MAX_NONCES = 4096;

/** Asks callers who they are. Nonces are made of the time and a secret, so that asking costs no memory. */
export class Gatekeeper {
  readonly realm: string;
  readonly #users: ReadonlyMap<string, string>;
  readonly #secret: Buffer;
  readonly #nowMs: () => number;
  /** The highest count that was used with a nonce. */
  readonly #counts = new Map<string, number>();

  constructor(realm: string, users: readonly Credentials[], secret: Buffer, nowMs: () => number) {
    this.realm = realm;
    this.#users = new Map(users.map(({ user, password }) => [user, password]));
    this.#secret = secret;
    this.#nowMs = nowMs;
  }

  /** One field for each algorithm, the stronger one first (RFC 8760 §2.4). */
  challenges(isStale: boolean): string[] {
    const nonce = this.#nonce(Math.floor(this.#nowMs()));
    const stale = isStale ? ', stale=true' : '';
    return (['SHA-256', 'MD5'] as const).map(
      algorithm =>
        `Digest realm="${this.realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale}`,
    );
  }

  verdict(method: string, fields: readonly string[]): Verdict {
    const params = fields.map(digestParams).find(one => one?.get('realm') === this.realm);
    if (!params) return 'missing';
    const [nonce, uri, given] = ['nonce', 'uri', 'response'].map(name => params.get(name) ?? '');
    const algorithm = (params.get('algorithm') ?? 'MD5').toUpperCase();
    if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return 'wrong';
    if (!this.#isOurs(nonce)) return 'stale';
    const user = params.get('username') ?? '';
    const password = this.#users.get(user);
    const nc = params.get('nc') ?? '';
    const hasQop = params.has('qop');
    const secret = hash(algorithm, `${user}:${this.realm}:${password ?? ''}`);
    const more = { nonce, uri, nc, cnonce: params.get('cnonce') ?? '', hasQop, isSession: false };
    const expected = responseOf(algorithm, more, secret, method);
    const [theirs, ours] = [Buffer.from(given.toLowerCase()), Buffer.from(expected)];
    const isEqual = theirs.length === ours.length && timingSafeEqual(theirs, ours);
    if (!isEqual || password === undefined) return 'wrong';
    return this.#isNew(nonce, hasQop ? Number.parseInt(nc, 16) : 0) ? 'right' : 'stale';
  }

  #nonce(atMs: number): string {
    const time = atMs.toString(36);
    return `${time}.${createHmac('sha256', this.#secret).update(time).digest('hex').slice(0, 32)}`;
  }

  #isOurs(nonce: string): boolean {
    const atMs = Number.parseInt(nonce.split('.')[0], 36);
    if (!Number.isSafeInteger(atMs) || this.#nonce(atMs) !== nonce) return false;
    const ageMs = this.#nowMs() - atMs;
    return ageMs >= -1 && ageMs <= NONCE_MS;
  }

  /** What was overheard may not be used again, where the client counts. */
  #isNew(nonce: string, count: number): boolean {
    const last = this.#counts.get(nonce);
    if (last !== undefined && !(count > last)) return false;
    if (this.#counts.size >= MAX_NONCES) this.#counts.delete(this.#counts.keys().next().value!);
    this.#counts.set(nonce, Number.isFinite(count) ? count : 0);
    return true;
  }
}
