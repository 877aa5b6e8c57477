import { readFileSync } from 'node:fs';
import type { Clock } from '../actors/core/clock.ts';
import { unixTimeMs } from '../actors/core/index.ts';
import type { Logger } from '../actors/core/logger.ts';
import type { Runtime } from '../actors/session-api.ts';
import { RuntimeError } from '../kernels/errors.ts';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';
import { otlpExporter, PerfettoWriter, tracedRuntime, turnLog } from '../protocols/telemetry/index.ts';
import type { Config } from './config/schema.ts';
import { DiskFile } from './disk-file.ts';

type TelemetryConfig = Pick<Config, 'traceFile' | 'traceFileMb' | 'otlpUrl' | 'logLevel'>;

/**
 * The runtime, with its turns going where the configuration says. @throws RuntimeError `trace.unwritable`,
 * `trace.no-opentelemetry`
 */
export async function withTelemetry(
  runtime: Runtime,
  { traceFile, traceFileMb, otlpUrl, logLevel }: TelemetryConfig,
  clock: Clock,
  log: Logger,
): Promise<Runtime> {
  const isLogged = logLevel === 'debug';
  if (!traceFile && !otlpUrl && !isLogged) return runtime;
  return tracedRuntime(runtime, {
    ...(traceFile && { perfetto: perfettoFile(traceFile, traceFileMb, log) }),
    ...(otlpUrl && { otlp: await exporterTo(otlpUrl, clock) }),
    ...(isLogged && { log: turnLog(log) }),
  });
}

function perfettoFile(path: string, maxMb: number, log: Logger): PerfettoWriter {
  try {
    return new PerfettoWriter(new DiskFile(path, maxMb << 20, log));
  } catch (error) {
    throw new RuntimeError(
      'trace.unwritable',
      'The trace cannot be written there.',
      { path, cause: (error as NodeJS.ErrnoException).code },
      'Give a place that can be written; a trace never overwrites a file.',
    );
  }
}

/** @throws RuntimeError `trace.no-opentelemetry` */
export async function exporterTo(otlpUrl: string, clock: Clock) {
  const { version } = JSON.parse(readFileSync(`${PACKAGE_ROOT}package.json`, 'utf8'));
  try {
    return await otlpExporter(otlpUrl, unixTimeMs() - clock.nowMs(), version);
  } catch (error) {
    throw new RuntimeError(
      'trace.no-opentelemetry',
      'The packages of OpenTelemetry cannot be loaded.',
      { cause: (error as Error).message },
      'They are optional dependencies: npm install without --omit=optional, or leave otlpUrl out.',
    );
  }
}
