/**
 * Which addresses this process reaches because a client names them: none but those that the operator named first. A
 * client's word alone would let anybody who may talk reach whatever this machine can (its neighbours, its cloud's
 * metadata).
 */
import { RuntimeError } from '../../kernels/errors.ts';

/** `%2f` and `%5c`: whoever answers may take them for a way out of the allowed folder. */
const HIDDEN_SLASH = /%(2f|5c)/i;

export class AllowedAddresses {
  readonly #prefixes: readonly URL[];

  /** @param prefixes `https://host[:port]/path`, each with all that lies below it. Error `mcp.allow-invalid`. */
  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes.map(prefix => {
      const url = httpUrl(prefix);
      if (url && url.search === '' && url.hash === '') return url;
      const remedy = 'Give https://host/path, or http://host:port/path, without ? and #.';
      throw new RuntimeError('mcp.allow-invalid', 'This allows no address.', { prefix }, remedy);
    });
  }

  /** The address, if it is allowed. Error `mcp.address-refused`. */
  check(address: string): URL {
    const url = httpUrl(address);
    if (url && !HIDDEN_SLASH.test(url.pathname) && this.#prefixes.some(prefix => isBelow(url, prefix))) {
      url.hash = '';
      return url;
    }
    const remedy =
      'Whoever runs this server allows addresses of MCP servers by its setting mcpAllow (docs/tools.md).';
    const values = { address: url ? `${url.origin}${url.pathname}` : address.slice(0, 200) };
    throw new RuntimeError('mcp.address-refused', 'This server may not reach that address.', values, remedy);
  }
}

/** Null where it is none, or carries a password. */
function httpUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isHttp = url.protocol === 'https:' || url.protocol === 'http:';
  return isHttp && url.username === '' && url.password === '' ? url : null;
}

function isBelow({ origin, pathname }: URL, prefix: URL): boolean {
  if (origin !== prefix.origin) return false;
  const folder = prefix.pathname.endsWith('/') ? prefix.pathname : `${prefix.pathname}/`;
  return pathname === prefix.pathname || pathname.startsWith(folder);
}
