import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { FAULT_KINDS } from '../../actors/health.ts';
import type { Runtime, TurnTrace } from '../../actors/session-api.ts';

/** What `/metrics` shows. Label values come from our own code, so their number is bounded. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #opened = this.#counter('longcat_connections_total', 'Realtime connections accepted.', []);
  readonly #refused = this.#counter('longcat_refused_connections_total', 'Upgrades refused, by reason.', [
    'reason',
  ]);
  readonly #closed = this.#counter(
    'longcat_closed_connections_total',
    'Connections ended, by WebSocket close code.',
    ['code'],
  );
  readonly #slow = this.#counter(
    'longcat_slow_readers_total',
    'Connections closed because the client did not read.',
    [],
  );
  readonly #events = this.#counter('longcat_client_events_total', 'Valid client events, by type.', ['type']);
  readonly #errors = this.#counter('longcat_client_errors_total', 'Error events sent, by code.', ['code']);
  readonly #responses = this.#counter('longcat_responses_total', 'Responses ended, by status.', ['status']);
  readonly #interrupted = this.#counter(
    'longcat_interrupted_turns_total',
    'Replies the user interrupted.',
    [],
  );
  readonly #faults = this.#counter(
    'longcat_component_faults_total',
    'Faults of the components that all sessions share, by component and kind.',
    ['component', 'kind'],
  );
  readonly #calls = this.#counter('longcat_calls_total', 'Telephone calls taken, by carrier.', ['carrier']);
  readonly #callsEnded = this.#counter('longcat_ended_calls_total', 'Telephone calls ended, by carrier.', [
    'carrier',
  ]);
  readonly #packets = this.#counter(
    'longcat_call_packets_total',
    'Packets of telephone calls that did not come as they should, by carrier and kind.',
    ['carrier', 'kind'],
  );
  readonly #recovery = new Histogram({
    name: 'longcat_component_recovery_seconds',
    help: 'From a fault that took a component away until it served again, by component.',
    labelNames: ['component'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.#registry],
  });
  readonly #latency = new Histogram({
    name: 'longcat_turn_latency_seconds',
    help: 'From the last user speech sample to the first heard sample.',
    buckets: [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10],
    registers: [this.#registry],
  });

  /** `waitingBytes`: of all clients' events that were read and not handled yet. */
  constructor(runtime: Runtime, waitingBytes = () => 0) {
    collectDefaultMetrics({ register: this.#registry });
    new Gauge({
      name: 'longcat_waiting_bytes',
      help: "Of clients' events that were read and wait for their turn.",
      registers: [this.#registry],
      collect() {
        this.set(waitingBytes());
      },
    });
    new Gauge({
      name: 'longcat_sessions',
      help: 'Sessions open now.',
      registers: [this.#registry],
      collect() {
        this.set(runtime.sessions.size);
      },
    });
    const { health } = runtime;
    new Gauge({
      name: 'longcat_component_ready',
      help: '1 where the component serves, 0 where it is down or being started; a component that the model lacks is left out.',
      labelNames: ['component'],
      registers: [this.#registry],
      collect() {
        for (const [component, state] of health.components)
          if (state !== 'absent') this.set({ component }, state === 'ready' ? 1 : 0);
      },
    });
    new Counter({
      name: 'longcat_actor_messages_total',
      help: 'Messages to actors, by actor, port and what became of them: taken, or lost as stale, dropped, overflowed or discarded.',
      labelNames: ['actor', 'port', 'fate'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [actor, ports] of health.mailboxes ?? [])
          for (const [port, { accepted: _, ...fates }] of ports)
            for (const [fate, count] of Object.entries(fates)) this.inc({ actor, port, fate }, count);
      },
    });
    for (const [component, state] of health.components) {
      // Shown from the beginning, so that a first fault is a rise from 0.
      if (state !== 'absent') for (const kind of FAULT_KINDS) this.#faults.inc({ component, kind }, 0);
    }
    health.faults$.subscribe(({ component, kind }) => this.#faults.inc({ component, kind }));
    health.recoveries$.subscribe(({ component, downMs }) =>
      this.#recovery.observe({ component }, downMs / 1000),
    );
  }

  connectionOpened(): void {
    this.#opened.inc();
  }

  connectionRefused(reason: string): void {
    this.#refused.inc({ reason });
  }

  connectionClosed(code: number): void {
    this.#closed.inc({ code });
  }

  slowReader(): void {
    this.#slow.inc();
  }

  callStarted(carrier: string): void {
    this.#calls.inc({ carrier });
  }

  /** `counts`: of its packets, by what was the matter with them. */
  callEnded(carrier: string, counts: object): void {
    this.#callsEnded.inc({ carrier });
    for (const [kind, count] of Object.entries(counts)) this.#packets.inc({ carrier, kind }, count);
  }

  clientEvent(type: string): void {
    this.#events.inc({ type });
  }

  clientError(code: string): void {
    this.#errors.inc({ code });
  }

  responseDone(status: string): void {
    this.#responses.inc({ status });
  }

  turn(trace: TurnTrace): void {
    if (trace.waterfall) this.#latency.observe(trace.waterfall.totalMs / 1000);
    if (trace.interrupted) this.#interrupted.inc();
  }

  /** Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
