/**
 * Turns as OpenTelemetry spans, sent by OTLP over HTTP with JSON. OpenTelemetry's own packages queue, batch and send;
 * beyond their queue (2048 spans) spans are dropped, and no conversation ever waits for a collector.
 */
import type { HrTime } from '@opentelemetry/api';
import type { IdGenerator } from '@opentelemetry/sdk-trace-base';
import { idsOf, traceparentOf } from '../../kernels/trace-context.ts';
import type { TurnSpan, TurnSpans } from './turn-spans.ts';

/** What another process did for a turn. */
export interface TurnPart extends TurnSpan {
  /** Of the turn. */
  readonly traceparent: string;
  readonly attributes: TurnSpans['attributes'];
}

export interface SpanExporter {
  turn(spans: TurnSpans): void;
  /** Left out where its turn has no readable name. */
  part(part: TurnPart): void;
  /** Sends what waits, for at most `EXPORT_TIMEOUT_MS`. */
  close(): Promise<void>;
}

const EXPORT_TIMEOUT_MS = 2000;

/**
 * @param url of the collector's traces, usually `http://HOST:4318/v1/traces`
 * @param originUnixMs Unix time at which the sessions' clock read 0
 */
export async function otlpExporter(
  url: string,
  originUnixMs: number,
  version: string,
): Promise<SpanExporter> {
  const [
    api,
    { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator },
    { OTLPTraceExporter },
    { resourceFromAttributes },
  ] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
  const ids = new TurnIds(new RandomIdGenerator());
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'longcat-rt', 'service.version': version }),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  });
  const tracer = provider.getTracer('longcat-rt', version);
  const time = (sessionMs: number) => hrTime(originUnixMs + sessionMs);
  return {
    turn: ({ session, turn, user, agent, attributes }) => {
      ids.next = idsOf(traceparentOf(session, Number(attributes['longcat.turn'])));
      const root = tracer.startSpan(turn.name, { startTime: time(turn.startMs), root: true, attributes });
      ids.next = null;
      const context = api.trace.setSpan(api.ROOT_CONTEXT, root);
      for (const { name, startMs, endMs } of user ? [user, ...agent] : agent)
        tracer.startSpan(name, { startTime: time(startMs) }, context).end(time(endMs));
      root.end(time(turn.endMs));
    },
    part: ({ traceparent, name, startMs, endMs, attributes }) => {
      const of = idsOf(traceparent);
      if (!of) return;
      const { SAMPLED } = api.TraceFlags;
      const context = api.trace.setSpanContext(api.ROOT_CONTEXT, {
        ...{ ...of, traceFlags: SAMPLED, isRemote: true },
      });
      tracer.startSpan(name, { startTime: time(startMs), attributes }, context).end(time(endMs));
    },
    close: () => provider.shutdown().catch(() => {}), // A collector that is gone is its own affair.
  };
}

/** A turn's own span has the ids that other processes know it by; all others are made up. */
class TurnIds implements IdGenerator {
  next: ReturnType<typeof idsOf> = null;
  readonly #others: IdGenerator;

  constructor(others: IdGenerator) {
    this.#others = others;
  }

  generateTraceId(): string {
    return this.next?.traceId ?? this.#others.generateTraceId();
  }

  generateSpanId(): string {
    return this.next?.spanId ?? this.#others.generateSpanId();
  }
}

/** Seconds and nanoseconds: a plain number would be taken for time since the process began where it is small. */
function hrTime(unixMs: number): HrTime {
  const seconds = Math.floor(unixMs / 1000);
  return [seconds, Math.round((unixMs - seconds * 1000) * 1e6)];
}
