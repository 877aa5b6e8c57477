/** A fault of a client's, told by a stable code, in words, and by the field concerned. */
import { RuntimeError } from '../../kernels/errors.ts';

const PREFIX = 'client.';

/** `param` is the path of the field, in the client's own words. */
export function refusal(code: string, message: string, param: string | null = null): RuntimeError {
  return new RuntimeError(PREFIX + code, message, param === null ? {} : { param });
}

/** What a client sent too much of is not the server's fault. */
export function faultType(code: string): 'invalid_request_error' | 'server_error' {
  return /^(context|input)\./.test(code) ? 'invalid_request_error' : 'server_error';
}

/** Codes on the wire are words joined by underscores, whatever the runtime's own are joined by. */
export function wireCode(code: string): string {
  const own = code.startsWith(PREFIX) ? code.slice(PREFIX.length) : code;
  return own.replaceAll(/[^A-Za-z0-9]+/g, '_').toLowerCase();
}
