import type { Logger } from '../../actors/core/logger.ts';
import { RealClock } from '../../actors/core/real-clock.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../protocols/index.ts';
import { createMemoryRuntime, type MemoryRuntime, type MemoryRuntimeOptions } from './memory-runtime.ts';

export interface TestServer extends RunningServer {
  readonly runtime: MemoryRuntime;
  readonly warnings: string[];
}

/** The real server over sessions kept in memory, on a free loopback port. */
export async function startTestServer(
  options: Partial<ServerOptions> & { readonly memory?: MemoryRuntimeOptions } = {},
): Promise<TestServer> {
  const clock = options.clock ?? new RealClock();
  const runtime = createMemoryRuntime(clock, options.memory);
  const warnings: string[] = [];
  const keep = (_values: object, text: string) => void warnings.push(text);
  const log: Logger = { debug() {}, info() {}, warn: keep, error: keep };
  const server = await startServer({
    modelName: 'test-model',
    engineKind: 'reference',
    unixTimeMs: Date.now,
    host: '127.0.0.1',
    port: 0,
    keys: [],
    allowedOrigins: [],
    webRoot: 'test/fixtures/none',
    runtime,
    log,
    clock,
    ...options,
  });
  return { ...server, runtime, warnings };
}
