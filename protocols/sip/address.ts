/**
 * Names and addresses in SIP (RFC 3261 §19.1, §20.10) and the Via of a hop. All of it comes from outside: null is what
 * cannot be read.
 */
import { splitList } from './headers.ts';

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string;
  readonly host: string;
  /** Null: the scheme's own. */
  readonly port: number | null;
  readonly params: ReadonlyMap<string, string>;
}

export interface NameAddress {
  readonly display: string;
  readonly uri: string;
  readonly params: ReadonlyMap<string, string>;
}

export interface Via {
  readonly protocol: string;
  readonly host: string;
  readonly port: number | null;
  readonly params: ReadonlyMap<string, string>;
}

const HOST_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;

export function parseUri(text: string): SipUri | null {
  const match = /^(sips?):(?:([^@]*)@)?([^;?]+)((?:;[^?]*)?)(?:\?.*)?$/i.exec(text.trim());
  const at = match && parseHostPort(match[3]);
  if (!at) return null;
  const user = (match[2] ?? '').split(':')[0];
  const scheme = match[1].toLowerCase() === 'sips' ? 'sips' : 'sip';
  return { scheme, user, ...at, params: parseParams(match[4]) };
}

function parseHostPort(text: string): { host: string; port: number | null } | null {
  const match = HOST_PORT.exec(text.trim());
  if (!match) return null;
  const port = match[2] === undefined ? null : Number(match[2]);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  return { host: match[1].replace(/^\[|\]$/g, '').toLowerCase(), port };
}

/** `"Name" <uri>;param=…` or `uri;param=…`, whose parameters are the field's then (RFC 3261 §20). */
export function parseNameAddress(text: string): NameAddress | null {
  const open = text.indexOf('<', text.trimStart().startsWith('"') ? closingQuote(text) : 0);
  if (open < 0) {
    const [uri, ...params] = text.split(';');
    return uri.trim() === '' ? null : { display: '', uri: uri.trim(), params: parseParams(params.join(';')) };
  }
  const close = text.indexOf('>', open);
  if (close < 0) return null;
  const display = text.slice(0, open).trim().replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
  return { display, uri: text.slice(open + 1, close).trim(), params: parseParams(text.slice(close + 1)) };
}

function closingQuote(text: string): number {
  for (let at = text.indexOf('"') + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

export function parseVia(text: string): Via | null {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z]+)\s+([^;]+)(.*)$/i.exec(text.trim());
  const at = match && parseHostPort(match[2].replace(/\s+/g, ''));
  return at ? { protocol: match[1].toUpperCase(), ...at, params: parseParams(match[3]) } : null;
}

export function parseParams(text: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const part of splitList(text, ';').slice(0, 64)) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? '' : part.slice(equals + 1).trim();
    params.set(name, value.replace(/^"(.*)"$/, '$1'));
  }
  return params;
}

export function tagOf(field: string | undefined): string | null {
  return (field && parseNameAddress(field)?.params.get('tag')) || null;
}

export const shownHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

export function parseCSeq(text: string | undefined): CSeq | null {
  const match = /^(\d{1,10})\s+(\S+)$/.exec(text ?? '');
  const number = match ? Number(match[1]) : -1;
  return match && number < 2 ** 31 ? { number, method: match[2] } : null;
}
