/** What a host of components tells of its work: spans of the turns, lines of the log, and metrics. */
import type { Clock } from '../actors/core/clock.ts';
import type { Logger } from '../actors/core/logger.ts';
import type { RuntimeHealth } from '../actors/health.ts';
import { startHostServer } from '../protocols/server/host-server.ts';
import { HostMetrics, HostSpans, turnLog } from '../protocols/telemetry/index.ts';
import type { Config } from './config/schema.ts';
import { exporterTo } from './telemetry.ts';

export interface HostTelling {
  /** Where its metrics are; null: nowhere. */
  readonly url: string | null;
  serves(component: string, host: { readonly streams: number; readonly clients: number }): void;
  stepsOf(component: string): (batch: readonly object[], beganMs: number, tookMs: number) => void;
  close(): Promise<void>;
}

interface TellingHost {
  readonly name: string;
  readonly health: RuntimeHealth;
  readonly clock: Clock;
  readonly log: Logger;
}

type TellingConfig = Pick<Config, 'otlpUrl' | 'logLevel' | 'metricsPort' | 'host' | 'keys'>;

/** Errors of `startHostServer`, and `trace.no-opentelemetry`. */
export async function startTelling(config: TellingConfig, host: TellingHost): Promise<HostTelling> {
  const { name, health, clock, log } = host;
  const otlp = config.otlpUrl === undefined ? null : await exporterTo(config.otlpUrl, clock);
  const lines = config.logLevel === 'debug' ? [turnLog(log, { host: name })] : [];
  const exporters = otlp ? [otlp, ...lines] : lines;
  const metrics = new HostMetrics(name, health);
  const { host: address, metricsPort: port, keys } = config;
  const server =
    port === undefined
      ? null
      : await startHostServer({ host: address, port, keys, name, health, metrics, clock, log });
  const spans: HostSpans[] = [];
  return {
    url: server && `http://${address.includes(':') ? `[${address}]` : address}:${server.port}`,
    serves: (component, served) => metrics.serves(component, served),
    stepsOf: component => {
      const turns = new HostSpans({ exporters, clock, component, host: name });
      if (exporters.length > 0) spans.push(turns);
      return (batch, beganMs, tookMs) => {
        metrics.step(component, batch.length, tookMs);
        if (exporters.length > 0) turns.step(batch, beganMs, tookMs);
      };
    },
    close: async () => {
      for (const each of spans) each.close();
      await server?.close();
      await otlp?.close();
    },
  };
}
