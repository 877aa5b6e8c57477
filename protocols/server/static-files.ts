/** The page: plain files of one folder, nothing outside it, nothing hidden. */
import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { errorAnswer, type HttpAnswer, type HttpRequest, methodNotAllowed } from './socket-server.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** What a page is made of. JSON is not among it: in that folder it configures tools. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wav': 'audio/wav',
};

/** The page loads nothing from elsewhere and cannot be framed. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'microphone=(self), camera=(self)',
  'cross-origin-opener-policy': 'same-origin',
};

/**
 * The page talks to its own server only. `'self'` covers WebSockets in newer browsers; older ones need them named,
 * where the Host can be a name at all.
 */
function securityHeaders(host: string): Readonly<Record<string, string>> {
  const sockets = /^[a-z0-9.:[\]_-]{1,255}$/i.test(host) ? ` ws://${host} wss://${host}` : '';
  return {
    ...SECURITY_HEADERS,
    'content-security-policy':
      "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
      `media-src 'self' blob: mediastream:; worker-src 'self' blob:; connect-src 'self'${sockets}; ` +
      "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  };
}

/**
 * GET and HEAD of a file under `root`; `/` is `index.html`. Files are revalidated each time by their content's hash.
 */
export async function serveFile(root: string, request: HttpRequest): Promise<HttpAnswer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return methodNotAllowed(request.method, 'GET, HEAD');
  }
  const security = securityHeaders(request.headers.get('host') ?? '');
  const file = await locate(root, request.path);
  if (file === null) return errorAnswer(404, 'not_found', 'There is no such file.', security);
  const body = await readFile(file);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  const headers = {
    ...security,
    'content-type': CONTENT_TYPES[extname(file).toLowerCase()],
    'cache-control': 'no-cache',
    etag,
  };
  if (request.headers.get('if-none-match') === etag) return { status: 304, headers, body: '' };
  return { status: 200, headers, body };
}

/** The real file of a URL path; null where there is none, it is hidden, of no known type, or outside `root`. */
async function locate(root: string, urlPath: string): Promise<string | null> {
  const names = decodeSegments(urlPath.endsWith('/') ? `${urlPath}index.html` : urlPath);
  if (names === null || !(extname(names.at(-1) ?? '').toLowerCase() in CONTENT_TYPES)) return null;
  try {
    const [base, file] = await Promise.all([realpath(root), realpath(join(root, ...names))]);
    const found = await stat(file);
    // A link inside the folder must not lead out of it.
    return file.startsWith(base + sep) && found.isFile() && found.size <= MAX_FILE_BYTES ? file : null;
  } catch {
    return null;
  }
}

function decodeSegments(urlPath: string): string[] | null {
  try {
    const names = urlPath.split('/').filter(Boolean).map(decodeURIComponent);
    const isPlain = (name: string) => !name.startsWith('.') && !/[/\\\0]/.test(name);
    return names.every(isPlain) ? names : null;
  } catch {
    return null;
  }
}
