/**
 * W3C trace context: a turn of a session is a trace, in whatever process its steps are done. Its ids follow from the
 * two names, so that nobody has to hand them round before the turn is known to be one.
 */
import { createHash } from 'node:crypto';

/** `00-TRACE-SPAN-01`; the span is the turn's own, of which all others are children. */
export function traceparentOf(session: string, turn: number): string {
  const hex = createHash('sha256').update(`${session}/${turn}`).digest('hex');
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-01`;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Null for what is none: it may come from another process. */
export function idsOf(traceparent: unknown): { readonly traceId: string; readonly spanId: string } | null {
  const found = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
  return found && { traceId: found[1], spanId: found[2] };
}
