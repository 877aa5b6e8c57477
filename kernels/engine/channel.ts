import { RuntimeError } from '../errors.ts';
import { type Service, ServiceRunner, type StreamCommand, type StreamOf } from './service.ts';

/** The way to a service, wherever it runs. Commands and steps execute in the order of the calls. */
export interface Channel<Work, Answer> {
  /** Raised whenever the service lost all its streams (a worker crashed and was started again). */
  readonly incarnation: number;
  /** False while the service is being started: nothing may be sent; `wake` says that somebody would like to. */
  readonly isReady: boolean;
  /** Steps that it takes at once, each answered when it is done; absent: two, one after the other. */
  readonly stepsApart?: number;
  wake(): void;
  /** Who sends hears when it may, and when what it holds back cannot be done. */
  connect(sender: ChannelSender): void;
  apply(command: StreamCommand): void;
  /** @throws (rejects) RuntimeError of the component, `engine.failed`, `engine.closed`. */
  step(batch: readonly Work[]): Promise<(Answer | null)[]>;
  close(): Promise<void>;
}

export interface ChannelSender {
  ready(): void;
  /** What waits is to be refused with this. */
  refused(error: RuntimeError): void;
}

/** The service in this thread: `step` computes before it returns, its promise is already settled. */
export class InlineChannel<Work, Answer> implements Channel<Work, Answer> {
  readonly incarnation = 0;
  readonly isReady = true;
  readonly #runner: ServiceRunner<Work, Answer>;
  #isClosed = false;

  constructor(service: Service<Work, Answer>, streamOf: StreamOf<Work>) {
    this.#runner = new ServiceRunner(service, streamOf);
  }

  wake(): void {}

  connect(): void {}

  apply(command: StreamCommand): void {
    if (!this.#isClosed) this.#runner.apply(command);
  }

  async step(batch: readonly Work[]): Promise<(Answer | null)[]> {
    if (this.#isClosed) throw engineClosed();
    try {
      return this.#runner.step(batch);
    } catch (error) {
      throw asRuntimeError(error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}

export function engineClosed(): RuntimeError {
  return new RuntimeError('engine.closed', 'The engine has been closed.');
}

/** Anything but a `RuntimeError` that a component throws is a defect of the component: `engine.failed`. */
export function asRuntimeError(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const cause = error instanceof Error ? error.message : String(error);
  const failure = new RuntimeError('engine.failed', 'A component of the engine failed.', { cause });
  if (error instanceof Error && error.stack) failure.stack = error.stack;
  return failure;
}
