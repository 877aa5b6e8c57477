import { RuntimeError } from '../errors.ts';
import type { StreamId } from './engine.ts';

/**
 * One component behind the engine: synchronous, stream ids chosen by the caller. The same object runs in a worker
 * thread or in-process. Components without streams (vision encoder, speech tokenizer) implement `step` only.
 * Answers must not share memory with anything the service keeps: they are transferred to another thread.
 */
export interface Service<Work, Answer> {
  /**
   * `isClosed` may turn true while the step computes: what only closed streams wait for need not be finished, and is
   * answered with null.
   */
  step(batch: readonly Work[], isClosed: IsClosed): (Answer | null)[];
  open?(stream: StreamId): void;
  close?(stream: StreamId): void;
  fork?(stream: StreamId, copy: StreamId): void;
  truncate?(stream: StreamId, length: number): void;
}

/** Whether a stream was closed, also when the command is still under way. */
export type IsClosed = (stream: StreamId) => boolean;

/** What is done to a stream without an answer; ordered with the steps. */
export type StreamCommand =
  | { readonly op: 'open'; readonly stream: StreamId }
  | { readonly op: 'close'; readonly stream: StreamId }
  | { readonly op: 'fork'; readonly stream: StreamId; readonly copy: StreamId }
  | { readonly op: 'truncate'; readonly stream: StreamId; readonly length: number }
  /** Only to channels that take steps apart. */
  | { readonly op: 'end-reply'; readonly stream: StreamId };

/** Which stream a work item belongs to; null for components without streams. */
export type StreamOf<Work> = (work: Work) => StreamId | null;

/** What the module of a component's service exports; imported where it runs. */
export interface ServiceModule<Work, Answer, Options> {
  loadService(options: Options): Service<Work, Answer>;
  readonly streamOf: StreamOf<Work>;
}

/**
 * Runs commands against a service. A stream command cannot answer, so what it throws is kept and answers the stream's
 * next step.
 */
export class ServiceRunner<Work, Answer> {
  readonly #service: Service<Work, Answer>;
  readonly #streamOf: StreamOf<Work>;
  readonly #isClosed: IsClosed;
  readonly #broken = new Map<StreamId, unknown>();

  constructor(service: Service<Work, Answer>, streamOf: StreamOf<Work>, isClosed: IsClosed = () => false) {
    this.#service = service;
    this.#streamOf = streamOf;
    this.#isClosed = isClosed;
  }

  apply(command: StreamCommand): void {
    try {
      if (command.op === 'open') this.#service.open?.(command.stream);
      else if (command.op === 'fork') this.#fork(command.stream, command.copy);
      else if (command.op === 'truncate') this.#service.truncate?.(command.stream, command.length);
      else if (command.op === 'close' && !this.#broken.delete(command.stream))
        this.#service.close?.(command.stream);
    } catch (error) {
      this.#broken.set(command.op === 'fork' ? command.copy : command.stream, error);
    }
  }

  /** Works of closed streams are left out and answered with null. */
  step(batch: readonly Work[]): (Answer | null)[] {
    const isOpen = batch.map(work => {
      const stream = this.#streamOf(work);
      return stream === null || !this.#isClosed(stream);
    });
    const open = batch.filter((_, i) => isOpen[i]);
    const answers = open.length > 0 ? this.#stepOpen(open) : [];
    let next = 0;
    return isOpen.map(open => (open ? answers[next++] : null));
  }

  #stepOpen(batch: readonly Work[]): (Answer | null)[] {
    for (const work of batch) {
      const stream = this.#streamOf(work);
      if (stream !== null && this.#broken.has(stream)) throw this.#broken.get(stream);
    }
    const answers = this.#service.step(batch, this.#isClosed);
    if (answers.length !== batch.length) {
      const values = { answers: answers.length, works: batch.length };
      throw new RuntimeError(
        'engine.failed',
        'A component answered another number of items than it was given.',
        values,
      );
    }
    return answers;
  }

  #fork(stream: StreamId, copy: StreamId): void {
    if (this.#broken.has(stream)) throw this.#broken.get(stream);
    this.#service.fork?.(stream, copy);
  }
}
