/** A fault of a client's, told by a stable code, in words, and by the field concerned. */
import { RuntimeError } from '../../kernels/errors.ts';

const PREFIX = 'client.';

/** `param` is the path of the field, in the client's own words. */
export function refusal(code: string, message: string, param: string | null = null): RuntimeError {
  return new RuntimeError(PREFIX + code, message, param === null ? {} : { param });
}

/** Codes on the wire are words joined by underscores, whatever the runtime's own are joined by. */
export function wireCode(code: string): string {
  const own = code.startsWith(PREFIX) ? code.slice(PREFIX.length) : code;
  return own.replaceAll(/[^A-Za-z0-9]+/g, '_').toLowerCase();
}
