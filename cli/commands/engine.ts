import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { pino } from 'pino';
import {
  type Clock,
  createLogger,
  nameOf,
  RealClock,
  superviseEngine,
  warmUp,
} from '../../actors/core/index.ts';
import { createEngine, streamOfComponent } from '../../kernels/engine/index.ts';
import {
  ComponentHost,
  connectNats,
  type HostedComponent,
  withoutSecret,
} from '../../kernels/engine/remote/index.ts';
import { loadConfig } from '../config/load.ts';
import { computing, kindOf } from '../house.ts';
import { resolveModelDirectory } from '../model-directory.ts';
import { addConfigOptions } from '../options.ts';
import { kindsByComponent } from '../place.ts';
import { modelHash } from '../replay/model-hash.ts';
import { StopSignals } from '../stop-signals.ts';
import { startTelling } from '../host-telling.ts';

const LOOK_EVERY_MS = 200;

/** `longcat-rt engine`: serves components to servers on other hosts, until interrupted. */
export function engineCommand(command: Command): Command {
  command.addHelpText(
    'after',
    '\nExample:\n  longcat-rt engine --components languageModel --nats nats://127.0.0.1:4222' +
      '\n  longcat-rt serve --place languageModel=nats://127.0.0.1:4222',
  );
  const computed = ['threads', 'ranks', 'weights', 'cache'] as const;
  const settings = ['model', 'engine', 'place', 'components', 'nats', ...computed] as const;
  const process = ['stepDeadlineMs', 'drainSeconds', 'logLevel', 'seed', 'otlpUrl'] as const;
  const told = ['host', 'metricsPort', 'keys'] as const;
  return addConfigOptions(command, [...settings, ...process, ...told]).action(serveComponents);
}

async function serveComponents(options: Record<string, unknown>): Promise<void> {
  const config = loadConfig(options, process.env, options.config as string | undefined);
  const { components, nats, stepDeadlineMs } = config;
  const { path } = resolveModelDirectory(config.model, config.seed);
  const signals = new StopSignals();
  const log = createLogger(pino({ level: config.logLevel }, pino.destination(2)));
  const clock = new RealClock();
  const bus = await connectNats(nats);
  const inner = await createEngine({
    ...{ kind: kindOf(config, log), modelDirectory: path, components, ...computing(config) },
    place: kindsByComponent(config.place), // Where servers find a component elsewhere, in the same file, is no business of a host's.
  }).catch(async error => {
    await bus.close(); // It would keep the process alive.
    throw error;
  });
  const { engine, health } = superviseEngine(inner, { clock, log, stepDeadlineMs });
  await warmUp(engine);
  const name = `${hostname().replace(/[^A-Za-z0-9-]/g, '-')}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const telling = await startTelling(config, { name, health, clock, log }).catch(async error => {
    await Promise.all([bus.close(), engine.close()]);
    throw error;
  });
  const model = { name: engine.model.name, hash: modelHash(path) };
  const hosts = await Promise.all(
    components.map(async component => {
      const onClient = (client: string, what: string) => log.info({ component, client, what }, 'client');
      const host = new ComponentHost({
        ...{ component, host: name, model, bus, timers: clock, onClient },
        hosted: engine[component] as unknown as HostedComponent,
        streamOf: await streamOfComponent(component),
        serves: () => health.components.get(nameOf(component)) === 'ready',
        onStep: telling.stepsOf(nameOf(component)),
      });
      telling.serves(nameOf(component), host);
      return host;
    }),
  );
  const where = telling.url ? `, metrics at ${telling.url}/metrics` : '';
  console.log(
    `Serves ${components.join(', ')} of ${model.name} as ${name} at ${withoutSecret(nats)}${where}  (Ctrl-C stops)`,
  );
  signals.watch({
    clock,
    drain: () => drained(hosts, clock, config.drainSeconds * 1000),
    close: async () => {
      for (const each of hosts) each.close();
      await bus.close();
      await engine.close();
      await telling.close();
    },
  });
}

/** Takes no new clients; those that are here may end what they have open. */
function drained(hosts: readonly ComponentHost[], clock: Clock, limitMs: number): Promise<void> {
  for (const host of hosts) host.retire();
  const endMs = clock.nowMs() + limitMs;
  return new Promise(resolve => {
    const look = () => {
      const isEmpty = hosts.every(({ streams }) => streams === 0);
      if (isEmpty || clock.nowMs() >= endMs) resolve();
      else clock.setTimer(LOOK_EVERY_MS, look);
    };
    look();
  });
}
