import type { Runtime } from '../../actors/session-api.ts';
import type { SpanExporter } from './otlp.ts';
import type { PerfettoWriter } from './perfetto.ts';
import { turnSpans } from './turn-spans.ts';

export interface TraceTargets {
  readonly perfetto?: PerfettoWriter;
  readonly otlp?: SpanExporter;
  readonly log?: Pick<SpanExporter, 'turn'>;
}

/** The same runtime; every turn of every session goes to the targets when it is over, whatever door it came through. */
export function tracedRuntime(runtime: Runtime, { perfetto, otlp, log }: TraceTargets): Runtime {
  return {
    get sessions() {
      return runtime.sessions;
    },
    limits: runtime.limits,
    health: runtime.health,
    callsTools: runtime.callsTools,
    openSession: (settings, id) => {
      const session = runtime.openSession(settings, id);
      session.events$.subscribe({
        next: event => {
          const spans = event.type === 'turn.trace' ? turnSpans(session.id, event.trace) : null;
          if (!spans) return;
          perfetto?.turn(spans);
          otlp?.turn(spans);
          log?.turn(spans);
        },
        complete: () => perfetto?.sessionEnded(session.id),
      });
      return session;
    },
    close: async () => {
      await runtime.close();
      perfetto?.close();
      await otlp?.close();
    },
  };
}
