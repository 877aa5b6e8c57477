import { parentPort, workerData } from 'node:worker_threads';
import { asRuntimeError } from './channel.ts';
import { ClosedStreams } from './closed-streams.ts';
import { type ServiceModule, ServiceRunner } from './service.ts';
import { buffersOf, type FromWorker, type ToWorker, toWire, type WorkerStart } from './worker-protocol.ts';

if (!parentPort) throw new Error('This module runs in a worker thread only.');
const port = parentPort;
const start = workerData as WorkerStart;

function send(message: FromWorker<unknown>, moved: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, moved);
}

try {
  const module = (await import(start.entry)) as ServiceModule<unknown, unknown, unknown>;
  const closed = new ClosedStreams(start.closed);
  const runner = new ServiceRunner(module.loadService(start.options), module.streamOf, stream =>
    closed.has(stream),
  );
  port.on('message', (message: ToWorker<unknown>) => serve(runner, message));
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'load-failed', error: toWire(asRuntimeError(error)) });
}

function serve(runner: ServiceRunner<unknown, unknown>, message: ToWorker<unknown>): void {
  if (message.kind === 'command') {
    runner.apply(message.command);
    return;
  }
  try {
    const answers = runner.step(message.batch);
    send({ kind: 'answer', request: message.request, answers }, [...buffersOf(answers)]);
  } catch (error) {
    send({ kind: 'failed', request: message.request, error: toWire(asRuntimeError(error)) });
  }
}
