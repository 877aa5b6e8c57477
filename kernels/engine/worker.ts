import { parentPort, workerData } from 'node:worker_threads';
import { returnMemory } from './after-loading.ts';
import { asRuntimeError } from './channel.ts';
import { ClosedStreams } from './closed-streams.ts';
import { type Service, type ServiceModule, ServiceRunner } from './service.ts';
import {
  buffersOf,
  type FromWorker,
  type ToWorker,
  toWire,
  type WorkerStart,
  withOwnBuffers,
} from './worker-protocol.ts';

if (!parentPort) throw new Error('This module runs in a worker thread only.');
const port = parentPort;

interface Loaded {
  readonly module: ServiceModule<unknown, unknown, unknown>;
  readonly service: Service<unknown, unknown>;
}

/** Emptied once it is known which of them this thread is. */
const loaded = new Map<string, Loaded>();
let runner: ServiceRunner<unknown, unknown> | null = null;

function send(message: FromWorker<unknown>, moved: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, moved);
}

try {
  for (const [component, { entry, options }] of Object.entries(workerData as WorkerStart)) {
    const module = (await import(entry)) as Loaded['module'];
    loaded.set(component, { module, service: await module.loadService(options) });
  }
  returnMemory();
  port.on('message', receive);
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'load-failed', error: toWire(asRuntimeError(error)) });
}

function receive(message: ToWorker<unknown>): void {
  if (message.kind === 'serve') {
    const { module, service } = loaded.get(message.component)!;
    const closed = new ClosedStreams(message.closed);
    runner = new ServiceRunner(service, module.streamOf, stream => closed.has(stream));
    loaded.clear();
  } else if (message.kind === 'command') runner!.apply(message.command);
  else step(message.request, message.batch);
}

function step(request: number, batch: readonly unknown[]): void {
  try {
    const answers = withOwnBuffers(runner!.step(batch));
    send({ kind: 'answer', request, answers }, [...buffersOf(answers)]);
  } catch (error) {
    send({ kind: 'failed', request, error: toWire(asRuntimeError(error)) });
  }
}
