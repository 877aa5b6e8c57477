/**
 * The one error class of the runtime: a stable `code`, the values concerned, and what to do about it.
 * Codes are `room.what`, for example `weights.truncated`; they never change once released.
 */
export class RuntimeError extends Error {
  readonly code: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly remedy: string;

  constructor(code: string, message: string, values: Record<string, unknown> = {}, remedy = '') {
    const listed = Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${String(value)}`);
    super(`${message}${listed.length ? ` [${listed.join(', ')}]` : ''}${remedy ? ` ${remedy}` : ''}`);
    this.name = 'RuntimeError';
    this.code = code;
    this.values = values;
    this.remedy = remedy;
  }
}
