import type { Engine, VisionEncoderAnswer, VisionEncoderWork } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { type ActorDefinition, type Delivered, NEVER_GIVEN_UP } from '../core/actor.ts';
import {
  type Emit,
  type EngineDesk,
  engineBehaviour,
  failuresAfter,
  type Plan,
  Quarantine,
} from '../core/engine-actor.ts';
import type { Address } from '../core/message.ts';
import type { VisionEncoderOutput, VisionEncoderPorts, VisionUnit } from './messages.ts';

export interface VisionEncoderDeps {
  readonly engine: Engine;
  readonly maxBatch: number;
}

/** Live units of one session that may wait; a newer one takes the place of the oldest. */
const MAX_LIVE = 4;
/** Pictures of one session's items that may wait. */
const MAX_PICTURES = 64;
const MAX_FAILURES = 3;
const CONTROL_CAPACITY = 1024;

interface WaitingPicture {
  readonly address: Address;
  readonly unit: VisionUnit;
  failures: number;
}

/** One session's units, in order; pictures of items go before live ones. */
interface Queue {
  readonly pictures: WaitingPicture[];
  readonly live: WaitingPicture[];
  isInFlight: boolean;
}

/** The vision-encoder actor. One per process. */
export function visionEncoderActor(
  deps: VisionEncoderDeps,
): ActorDefinition<VisionEncoderPorts, VisionEncoderOutput> {
  return {
    name: 'vision-encoder',
    ports: {
      // The desk takes messages at once and drops by itself, so that every dropped unit is answered.
      video: { capacity: MAX_PICTURES, overflow: 'keep-newest', fenced: false },
      picture: { capacity: 2 * MAX_PICTURES, overflow: 'fail', fenced: false },
      control: { capacity: CONTROL_CAPACITY, overflow: 'never-drop', fenced: false },
    },
    supervision: NEVER_GIVEN_UP,
    behaviour: engineBehaviour(
      (_context, emit) => new VisionEncoderDesk(deps.maxBatch, emit),
      batch => deps.engine.visionEncoder.step(batch),
    ),
  };
}

class VisionEncoderDesk implements EngineDesk<VisionEncoderPorts, VisionEncoderWork, VisionEncoderAnswer> {
  readonly #maxBatch: number;
  readonly #emit: Emit<VisionEncoderOutput>;
  /** By session; those served last stand last. */
  readonly #queues = new Map<string, Queue>();
  readonly #quarantine = new Quarantine();

  constructor(maxBatch: number, emit: Emit<VisionEncoderOutput>) {
    this.#maxBatch = maxBatch;
    this.#emit = emit;
  }

  receive({ port, message }: Delivered<VisionEncoderPorts>): void {
    const { session, body } = message;
    if (port === 'control') {
      this.#queues.delete(session);
      return;
    }
    const queue = this.#queues.get(session) ?? { pictures: [], live: [], isInFlight: false };
    this.#queues.set(session, queue);
    const waiting = { address: message, unit: body as VisionUnit, failures: 0 };
    if (port === 'video') this.#addLive(queue, waiting);
    else this.#addPicture(queue, waiting);
  }

  plan(): Plan<VisionEncoderWork, VisionEncoderAnswer>[] {
    const wanting = [...this.#queues].filter(([, queue]) => !queue.isInFlight && head(queue) !== undefined);
    const chosen = this.#quarantine.choose(wanting, ([, queue]) => head(queue)!.failures > 0);
    return chosen.slice(0, this.#maxBatch).map(([session, queue]) => {
      this.#queues.delete(session);
      this.#queues.set(session, queue);
      return this.#planUnit(session, queue);
    });
  }

  stop(): void {
    this.#queues.clear();
  }

  #planUnit(session: string, queue: Queue): Plan<VisionEncoderWork, VisionEncoderAnswer> {
    const from = queue.pictures.length > 0 ? queue.pictures : queue.live;
    const waiting = from.shift()!;
    const { unitId, frames, maxTokens, capturedAtMs } = waiting.unit;
    queue.isInFlight = true;
    const settle = (): boolean => {
      queue.isInFlight = false;
      return this.#queues.get(session) === queue;
    };
    return {
      work: { frames, maxTokens },
      answered: answer => {
        if (!settle() || answer === null) return;
        const { vectors, count, grid } = answer;
        this.#emit(waiting.address, { type: 'unit', unitId, capturedAtMs, vectors, count, grid });
        this.#forgetIdle(session, queue);
      },
      failed: error => {
        if (!settle()) return;
        waiting.failures = failuresAfter(waiting.failures, error);
        if (waiting.failures < MAX_FAILURES) from.unshift(waiting);
        else this.#fail(waiting, error);
      },
    };
  }

  #addLive(queue: Queue, waiting: WaitingPicture): void {
    queue.live.push(waiting);
    if (queue.live.length <= MAX_LIVE) return;
    const { address, unit } = queue.live.shift()!;
    this.#emit(address, { type: 'dropped', unitId: unit.unitId });
  }

  #addPicture(queue: Queue, waiting: WaitingPicture): void {
    if (queue.pictures.length < MAX_PICTURES) {
      queue.pictures.push(waiting);
      return;
    }
    const values = { waiting: MAX_PICTURES };
    const remedy = 'Send pictures more slowly.';
    this.#fail(
      waiting,
      new RuntimeError('vision-encoder.backlog', 'Too many pictures are waiting.', values, remedy),
    );
  }

  #fail({ address, unit }: WaitingPicture, { code, message }: RuntimeError): void {
    this.#emit(address, { type: 'failed', unitId: unit.unitId, code, message });
  }

  #forgetIdle(session: string, queue: Queue): void {
    if (head(queue) === undefined && !queue.isInFlight) this.#queues.delete(session);
  }
}

function head(queue: Queue): WaitingPicture | undefined {
  return queue.pictures[0] ?? queue.live[0];
}
