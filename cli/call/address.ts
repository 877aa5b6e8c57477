import { RuntimeError } from '../../kernels/errors.ts';

const DEFAULT_PATH = '/v1/realtime';
const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};

/**
 * `HOST:PORT`, `http(s)://…` or `ws(s)://…`; without a path it is the Realtime protocol's.
 * @throws RuntimeError `call.address`
 */
export function callAddress(text: string): URL {
  const isLocal = /^(localhost|127\.|\[::1\])/i.test(text);
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${isLocal ? 'ws' : 'wss'}://${text}`;
  if (!URL.canParse(whole)) throw badAddress('That is no address.');
  const url = new URL(whole);
  const scheme = SCHEMES[url.protocol];
  if (!scheme) throw badAddress(`Nothing is called over ${url.protocol.slice(0, -1)}.`);
  // It would end up in logs and in the list of processes.
  if (url.username || url.password) throw badAddress('A key does not belong into the address.');
  url.protocol = scheme;
  url.hash = '';
  if (url.pathname === '/') url.pathname = DEFAULT_PATH;
  return url;
}

/** For people: without the question mark, behind which a key may stand. */
export function shownAddress(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function badAddress(message: string): RuntimeError {
  const remedy = 'Give for example ws://127.0.0.1:8080/v1/realtime; a key goes into LONGCAT_RT_KEY.';
  return new RuntimeError('call.address', message, {}, remedy);
}
