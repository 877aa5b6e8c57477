export { HostMetrics } from './host-metrics.ts';
export { HostSpans } from './host-spans.ts';
export { otlpExporter, type SpanExporter } from './otlp.ts';
export { type ByteSink, PerfettoWriter } from './perfetto.ts';
export { type TraceTargets, tracedRuntime } from './traced-runtime.ts';
export { turnLog } from './turn-log.ts';
export { type TurnSpan, type TurnSpans, turnSpans } from './turn-spans.ts';
