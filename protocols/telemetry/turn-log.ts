import type { Logger } from '../../actors/core/logger.ts';
import { idsOf, traceparentOf } from '../../kernels/trace-context.ts';
import type { SpanExporter } from './otlp.ts';

/**
 * Turns as lines of the log, at level `debug`: `trace` is the same for all that any process says of one turn, and that
 * of its spans.
 *
 * @param values of every line, for example the host's name
 */
export function turnLog(log: Logger, values: object = {}): Pick<SpanExporter, 'turn' | 'part'> {
  return {
    turn: ({ session, attributes }) => {
      const turn = Number(attributes['longcat.turn']);
      const trace = idsOf(traceparentOf(session, turn))?.traceId;
      log.debug({ ...values, session, turn, trace, ...short(attributes) }, 'A turn is over.');
    },
    part: ({ traceparent, name, startMs, endMs, attributes }) => {
      const trace = idsOf(traceparent)?.traceId;
      if (trace === undefined) return; // Said by another process.
      const ms = Math.round(endMs - startMs);
      log.debug({ ...values, component: name, trace, ms, ...short(attributes) }, 'Steps of a turn.');
    },
  };
}

/** Without what all names begin with, and what is said already. */
function short(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const said = new Set(['longcat.session', 'longcat.turn', 'longcat.host']);
  const rest = Object.entries(attributes).filter(([name]) => !said.has(name));
  const tenths = (value: unknown) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value);
  return Object.fromEntries(rest.map(([name, value]) => [name.replace(/^longcat\./, ''), tenths(value)]));
}
