import { RuntimeError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { PartlyFailed } from './partly-failed.ts';
import type { StreamId } from './engine.ts';
import type { StreamCommand, StreamOf } from './service.ts';

/** Steps sent to a component and not yet answered; more wait here, where closing a stream can still drop its work. */
const MAX_IN_FLIGHT = 2;

export interface FrontLimits {
  /** Steps accepted and not yet answered; the next is refused with `engine.overloaded`. */
  readonly maxOutstandingSteps: number;
}

interface QueuedStep<Work, Answer> {
  readonly batch: (Work | null)[];
  readonly resolve: (answers: (Answer | null)[]) => void;
  readonly reject: (error: unknown) => void;
}

type Queued<Work, Answer> = StreamCommand | QueuedStep<Work, Answer>;

/**
 * The caller's side of a component: hands out stream ids, keeps the order, drops the work of closed streams, and knows
 * which streams a crash took away. Serves as any of the component interfaces of `engine.ts`.
 */
export class ComponentFront<Work, Answer> {
  readonly #name: string;
  readonly #channel: Channel<Work, Answer>;
  readonly #streamOf: StreamOf<Work>;
  readonly #maxOutstanding: number;
  readonly #maxInFlight: number;
  /** `LanguageModelEngine.endReply`, where the channel takes steps apart. */
  readonly endReply?: (stream: StreamId) => void;
  /** Open streams and the incarnation of the channel that knows them. */
  readonly #streams = new Map<StreamId, number>();
  readonly #queue: Queued<Work, Answer>[] = [];
  #nextStream: StreamId = 1;
  #outstanding = 0;
  #inFlight = 0;

  constructor(name: string, channel: Channel<Work, Answer>, streamOf: StreamOf<Work>, limits: FrontLimits) {
    this.#name = name;
    this.#channel = channel;
    this.#streamOf = streamOf;
    const { stepsApart } = channel;
    this.#maxInFlight = stepsApart ?? MAX_IN_FLIGHT;
    this.#maxOutstanding = stepsApart ?? limits.maxOutstandingSteps;
    if (stepsApart) this.endReply = stream => this.#endReply(stream);
    channel.connect({ ready: () => this.#drain(), refused: error => this.#refuse(error) });
  }

  open(): StreamId {
    const stream = this.#nextStream++;
    this.#streams.set(stream, this.#channel.incarnation);
    this.#enqueue({ op: 'open', stream });
    return stream;
  }

  close(stream: StreamId): void {
    if (!this.#streams.delete(stream)) return;
    for (const queued of this.#queue) {
      if (!('batch' in queued)) continue;
      const at = queued.batch.findIndex(work => work !== null && this.#streamOf(work) === stream);
      if (at >= 0) queued.batch[at] = null;
    }
    this.#enqueue({ op: 'close', stream });
  }

  fork(stream: StreamId): StreamId {
    this.#expectOpen(stream);
    const copy = this.#nextStream++;
    this.#streams.set(copy, this.#streams.get(stream)!);
    this.#enqueue({ op: 'fork', stream, copy });
    return copy;
  }

  truncate(stream: StreamId, length: number): void {
    this.#expectOpen(stream);
    this.#enqueue({ op: 'truncate', stream, length });
  }

  step(batch: readonly Work[]): Promise<(Answer | null)[]> {
    if (this.#outstanding >= this.#maxOutstanding) {
      const values = { component: this.#name, outstanding: this.#outstanding };
      const remedy = 'Await answers before sending more.';
      return Promise.reject(
        new RuntimeError('engine.overloaded', 'Too many steps are waiting.', values, remedy),
      );
    }
    try {
      this.#expectDistinct(batch);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#outstanding++;
    return new Promise((resolve, reject) => {
      const open = batch.map(work => {
        const stream = this.#streamOf(work);
        return stream === null || this.#streams.has(stream) ? work : null;
      });
      this.#enqueue({ batch: open, resolve, reject });
    });
  }

  #enqueue(queued: Queued<Work, Answer>): void {
    this.#queue.push(queued);
    this.#drain();
  }

  #drain(): void {
    while (this.#queue.length > 0) {
      if (!this.#channel.isReady) {
        this.#channel.wake();
        return;
      }
      const next = this.#queue[0];
      if ('batch' in next) {
        if (this.#inFlight >= this.#maxInFlight) return;
        this.#queue.shift();
        this.#send(next);
      } else {
        this.#queue.shift();
        this.#channel.apply(next);
      }
    }
  }

  #send(step: QueuedStep<Work, Answer>): void {
    const works = step.batch.filter(work => work !== null);
    const lost = works.map(this.#streamOf).find(stream => stream !== null && this.#isLost(stream));
    if (works.length === 0 || lost !== undefined) {
      this.#outstanding--;
      if (lost === undefined || lost === null) step.resolve(step.batch.map(() => null));
      else step.reject(this.#lost(lost));
      return;
    }
    this.#inFlight++;
    const done = () => {
      this.#inFlight--;
      this.#outstanding--;
      this.#drain();
    };
    this.#channel.step(works).then(
      answers => {
        step.resolve(this.#place(step.batch, answers));
        done();
      },
      error => {
        const isPart = error instanceof PartlyFailed;
        step.reject(isPart ? new PartlyFailed(this.#place(step.batch, error.ends as Answer[])) : error);
        done();
      },
    );
  }

  /** Answers in the order of the batch; null for streams closed before or since. */
  #place(batch: readonly (Work | null)[], answers: readonly (Answer | null)[]): (Answer | null)[] {
    let next = 0;
    return batch.map(work => {
      if (work === null) return null;
      const answer = answers[next++];
      const stream = this.#streamOf(work);
      return stream === null || this.#streams.has(stream) ? answer : null;
    });
  }

  /** Steps that wait are answered with why; commands go on waiting. */
  #refuse(error: RuntimeError): void {
    for (const queued of this.#queue.splice(0)) {
      if ('batch' in queued) {
        this.#outstanding--;
        queued.reject(error);
      } else this.#queue.push(queued);
    }
  }

  #endReply(stream: StreamId): void {
    if (this.#streams.has(stream)) this.#enqueue({ op: 'end-reply', stream });
  }

  #isLost(stream: StreamId): boolean {
    const known = this.#streams.get(stream);
    return known !== undefined && known !== this.#channel.incarnation;
  }

  #lost(stream: StreamId): RuntimeError {
    const values = { component: this.#name, stream };
    const remedy = 'Open a new stream and feed it again.';
    return new RuntimeError(
      'engine.stream-lost',
      'The stream was lost when its component failed.',
      values,
      remedy,
    );
  }

  #expectOpen(stream: StreamId): void {
    if (this.#streams.has(stream)) return;
    const values = { component: this.#name, stream };
    throw new RuntimeError('engine.stream-closed', 'No such stream is open.', values);
  }

  #expectDistinct(batch: readonly Work[]): void {
    const seen = new Set<StreamId>();
    for (const work of batch) {
      const stream = this.#streamOf(work);
      if (stream === null) continue;
      if (seen.has(stream)) {
        const values = { component: this.#name, stream };
        throw new RuntimeError('engine.duplicate-stream', 'A batch holds two items of one stream.', values);
      }
      seen.add(stream);
    }
  }
}
