/**
 * SIP messages (RFC 3261 §7): read with patience, written to the letter. Sizes are bounded before anything is looked
 * at.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import { Headers, spelled } from './headers.ts';

export interface SipRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface SipResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export type SipMessage = SipRequest | SipResponse;

export const isRequest = (message: SipMessage): message is SipRequest => 'method' in message;

export const MAX_MESSAGE_BYTES = 64 * 1024;
export const MAX_HEADER_BYTES = 32 * 1024;
const MAX_HEADERS = 200;
/** Of one field, unfolded: what takes apart its parts shall never take long. */
const MAX_FIELD_CHARS = 4096;
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const NO_BODY: Buffer = Buffer.alloc(0);

/** Where the body begins; null: the head is not whole yet. */
export function headEnd(bytes: Buffer): number | null {
  const strict = bytes.indexOf('\r\n\r\n');
  const loose = bytes.indexOf('\n\n');
  if (strict >= 0 && (loose < 0 || strict <= loose)) return strict + 4;
  return loose < 0 ? null : loose + 2;
}

/**
 * One message that is all there, as a datagram or a framed piece of a stream. Line ends may be LF, lines may be folded,
 * names compact, `Content-Length` may be missing.
 * @throws RuntimeError `sip.bad_message`
 */
export function parseMessage(bytes: Buffer): SipMessage {
  if (bytes.length > MAX_MESSAGE_BYTES) throw bad('The message is too long.', { bytes: bytes.length });
  const end = headEnd(bytes) ?? bytes.length;
  if (end > MAX_HEADER_BYTES) throw bad('The header is too long.', { bytes: end });
  const text = bytes.toString('utf8', 0, end).replace(/^[\r\n]+/, '');
  const lines = text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = parseHeaders(lines.slice(1));
  const body = bodyOf(bytes.subarray(end), headers);
  const status = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i.exec(lines[0]);
  if (status) return { status: Number(status[1]), reason: status[2] ?? '', headers, body };
  const request = /^(\S+) +(\S+) +SIP\/2\.0 *$/i.exec(lines[0]);
  if (!request || !TOKEN.test(request[1])) throw bad('The first line is none of SIP.');
  return { method: request[1], uri: request[2], headers, body };
}

function parseHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  let count = 0;
  for (const line of lines) {
    if (line.trim() === '') continue;
    if (line.length > MAX_FIELD_CHARS) throw bad('A header field is too long.', { chars: line.length });
    const colon = line.indexOf(':');
    const name = colon < 0 ? '' : line.slice(0, colon).trim();
    if (!TOKEN.test(name)) throw bad('A header field has no name.');
    if (++count > MAX_HEADERS) throw bad('There are too many header fields.', { most: MAX_HEADERS });
    headers.add(name, line.slice(colon + 1).trim());
  }
  return headers;
}

function bodyOf(rest: Buffer, headers: Headers): Buffer {
  const length = headers.get('content-length');
  if (length === undefined) return rest;
  const bytes = /^\d{1,9}$/.test(length) ? Number(length) : -1;
  if (bytes < 0 || bytes > rest.length) throw bad('The body is not as long as is said.', { length });
  return rest.subarray(0, bytes);
}

/** What a proxy, a peer and a log can rely on; nothing that is put in can add a line. */
export function messageBytes(message: SipMessage): Buffer {
  const first = isRequest(message)
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
  const fields = message.headers
    .entries()
    .filter(([name]) => name !== 'content-length')
    .map(([name, value]) => `${spelled(name)}: ${value}`);
  const lines = [first, ...fields, `Content-Length: ${message.body.length}`].map(oneLine);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), message.body]);
}

const oneLine = (text: string): string => text.replace(/[\r\n\0]+/g, ' ');

export function request(method: string, uri: string, headers: Headers, body: Buffer = NO_BODY): SipRequest {
  return { method, uri, headers, body };
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  422: 'Session Interval Too Small',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  603: 'Decline',
};

/** An answer to `asked` (RFC 3261 §8.2.6); `tag` is put to To where there is none. */
export function responseTo(
  asked: SipRequest,
  status: number,
  tag: string | null,
  more: readonly (readonly [string, string])[] = [],
  body: Buffer = NO_BODY,
): SipResponse {
  const headers = new Headers();
  for (const [name, value] of asked.headers.entries())
    if (name === 'via' || (name === 'record-route' && status > 100 && status < 300)) headers.add(name, value);
  const to = asked.headers.get('to') ?? '';
  headers.add('from', asked.headers.get('from') ?? '');
  headers.add('to', tag === null || /;\s*tag=/i.test(to) ? to : `${to};tag=${tag}`);
  headers.add('call-id', asked.headers.get('call-id') ?? '');
  headers.add('cseq', asked.headers.get('cseq') ?? '');
  for (const [name, value] of more) headers.add(name, value);
  return { status, reason: REASONS[status] ?? 'Answer', headers, body };
}

function bad(message: string, values: Record<string, unknown> = {}): RuntimeError {
  return new RuntimeError('sip.bad_message', message, values);
}
