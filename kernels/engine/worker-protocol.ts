import { RuntimeError } from '../errors.ts';
import type { StreamCommand } from './service.ts';

/** What the two sides of a component's worker thread say to each other. Requests are answered in order. */
export type ToWorker<Work> =
  /** First of all: which of its services the thread is to be. It drops the others. */
  | { readonly kind: 'serve'; readonly component: string; readonly closed: Int32Array<SharedArrayBuffer> }
  | { readonly kind: 'command'; readonly command: StreamCommand }
  | { readonly kind: 'step'; readonly request: number; readonly batch: readonly Work[] };

export type FromWorker<Answer> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'load-failed'; readonly error: CrossingError }
  | { readonly kind: 'answer'; readonly request: number; readonly answers: (Answer | null)[] }
  | { readonly kind: 'failed'; readonly request: number; readonly error: CrossingError };

/** What a component's service is loaded from. */
export interface ServiceStart {
  /** URL of a module that exports `loadService(options)` and `streamOf`: a `ServiceModule`. */
  readonly entry: string;
  readonly options: unknown;
}

/** Given to a worker thread at start: the services that it loads, by component. */
export type WorkerStart = Readonly<Record<string, ServiceStart>>;

export interface CrossingError {
  readonly code: string;
  readonly message: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly remedy: string;
  readonly stack: string | undefined;
}

export function toWire(error: RuntimeError): CrossingError {
  // Values may hold anything; only what structured clone surely carries crosses.
  const values = Object.fromEntries(
    Object.entries(error.values).map(([name, value]) => [
      name,
      typeof value === 'number' ? value : String(value),
    ]),
  );
  return { code: error.code, message: error.message, values, remedy: error.remedy, stack: error.stack };
}

export function fromWire(wire: CrossingError): RuntimeError {
  // The message already lists values and remedy, so they must not pass through the constructor again.
  const error = new RuntimeError(wire.code, wire.message);
  if (wire.stack) error.stack = wire.stack;
  return Object.assign(error, { values: wire.values, remedy: wire.remedy });
}

/** Every buffer below `value` that structured clone may move instead of copy; each once. */
export function buffersOf(value: unknown, found: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    // A view of a part is copied: moving its buffer would take the rest away from its owner.
    const isWhole = value.byteLength === value.buffer.byteLength;
    if (isWhole && value.byteLength > 0 && value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (Array.isArray(value)) {
    for (const element of value) buffersOf(element, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const element of Object.values(value)) buffersOf(element, found);
  }
  return found;
}

/**
 * The same value for a message to another thread, its views of parts with buffers of their own: structured clone
 * carries the whole buffer of a view, however little of it the view shows. What has no such view is returned as it is.
 */
export function withOwnBuffers<T>(value: T): T {
  if (ArrayBuffer.isView(value)) {
    const isPart = value.byteLength < value.buffer.byteLength && !(value.buffer instanceof SharedArrayBuffer);
    return isPart && 'slice' in value ? ((value as unknown as Float32Array).slice() as unknown as T) : value;
  }
  if (Array.isArray(value)) {
    const own = value.map(withOwnBuffers);
    return own.some((element, i) => element !== value[i]) ? (own as T) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  let copy: Record<string, unknown> | null = null;
  for (const [name, field] of Object.entries(value)) {
    const own = withOwnBuffers(field);
    if (own !== field) copy = { ...(copy ?? (value as Record<string, unknown>)), [name]: own };
  }
  return (copy as T) ?? value;
}
