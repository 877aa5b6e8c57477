import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RuntimeHealth } from '../../actors/health.ts';

/** What a host tells of a component that it serves. */
interface ServedComponent {
  readonly streams: number;
  readonly clients: number;
}

/** `/metrics` of a host of components (docs/elsewhere.md): every line has the host's name. */
export class HostMetrics {
  readonly #registry = new Registry();
  readonly #served = new Map<string, ServedComponent>();
  readonly #works = new Counter({
    name: 'longcat_host_works_total',
    help: 'Works of other processes that were done or failed, by component.',
    labelNames: ['component'],
    registers: [this.#registry],
  });
  readonly #steps = new Histogram({
    name: 'longcat_host_step_seconds',
    help: 'Steps of other processes: from their arrival until they were done or had failed, by component.',
    labelNames: ['component'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    registers: [this.#registry],
  });

  constructor(host: string, health: Pick<RuntimeHealth, 'components' | 'faults$'>) {
    this.#registry.setDefaultLabels({ host });
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('streams', 'Streams that other processes have open.', ({ streams }) => streams);
    this.#gauge('clients', 'Processes that use the component.', ({ clients }) => clients);
    this.#gauge(
      'ready',
      '1 where the component serves, 0 where it is down or being started.',
      (_, component) => (health.components.get(component) === 'ready' ? 1 : 0),
    );
    const faults = new Counter({
      name: 'longcat_host_faults_total',
      help: 'Faults of components, by component and kind.',
      labelNames: ['component', 'kind'],
      registers: [this.#registry],
    });
    health.faults$.subscribe(({ component, kind }) => faults.inc({ component, kind }));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  serves(component: string, served: ServedComponent): void {
    this.#served.set(component, served);
    this.#works.inc({ component }, 0);
  }

  step(component: string, works: number, tookMs: number): void {
    this.#works.inc({ component }, works);
    this.#steps.observe({ component }, tookMs / 1000);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #gauge(name: string, help: string, read: (served: ServedComponent, component: string) => number): void {
    const all = this.#served;
    new Gauge({
      name: `longcat_host_${name}`,
      help: `${help} By component.`,
      labelNames: ['component'],
      registers: [this.#registry],
      collect() {
        for (const [component, served] of all) this.set({ component }, read(served, component));
      },
    });
  }
}
