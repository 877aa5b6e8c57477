/** One host of a component, as one runtime speaks with it: commands and steps in order, answers by their numbers. */
import { RuntimeError } from '../../errors.ts';
import type { EngineComponent } from '../lifecycle.ts';
import type { StreamCommand } from '../service.ts';
import { fromWire } from '../worker-protocol.ts';
import type { Bus, BusTimers } from './bus.ts';
import { SenderLine, send } from './line.ts';
import { subjects, type ToClient, type ToHost } from './wire.ts';

/** A host's own supervisor has waited long enough for its component. */
const COMPONENT_DOWN = 'engine.component-down';

export interface HostLineOptions {
  readonly component: EngineComponent;
  readonly bus: Bus;
  readonly timers: BusTimers;
  readonly host: string;
  /** Our name there. */
  readonly client: string;
  /** Nobody listens there any more, or what comes cannot be read. Steps under way are the caller's to end. */
  readonly onLost: (error: RuntimeError) => void;
}

export interface HostAnswer<Answer> {
  readonly answers: (Answer | null)[];
  /** What it took beside the host's own time: packing, the way there and back, and what waits on it. */
  readonly hopMs: number;
}

interface Pending<Answer> {
  readonly sentAtMs: number;
  readonly resolve: (answer: HostAnswer<Answer>) => void;
  readonly reject: (error: RuntimeError) => void;
}

export class HostLine<Work extends object, Answer> {
  readonly host: string;
  /** Streams that all runtimes have there, by its last word and what was opened and closed from here since. */
  load = 0;
  /** Asked in vain so often who is there: it ends, or hangs, and nothing new begins there. */
  missed = 0;
  readonly #options: HostLineOptions;
  readonly #subject: string;
  readonly #answersAt: string;
  readonly #pending = new Map<number, Pending<Answer>>();
  readonly #stop: () => void;
  #nextRequest = 1;

  constructor(options: HostLineOptions) {
    const { bus, component, host, client, onLost } = options;
    this.#options = options;
    this.host = host;
    this.#subject = subjects.host(component, host, client);
    this.#answersAt = subjects.client(client);
    const line = new SenderLine<ToClient>({
      message: message => this.#answer(message),
      unheard: () => onLost(hostLost(component, host)),
      malformed: error => onLost(error as RuntimeError),
    });
    this.#stop = bus.subscribe(this.#answersAt, message => line.hear(message));
  }

  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  apply(command: StreamCommand): void {
    this.#say({ kind: 'command', command });
  }

  step(batch: readonly Work[]): Promise<HostAnswer<Answer>> {
    const request = this.#nextRequest++;
    const sentAtMs = this.#options.timers.nowMs();
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { sentAtMs, resolve, reject });
      try {
        this.#say({ kind: 'step', request, batch });
      } catch (error) {
        this.#pending.delete(request);
        reject(error);
      }
    });
  }

  /** What is under way rejects with `error`; the host is told where it may still listen. */
  leave(error: RuntimeError, saysBye: boolean): void {
    if (saysBye) this.#say({ kind: 'bye' });
    this.#stop();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  /** It is there, and what it serves is not. */
  #isLost(cause: string, pending: Pending<Answer>): void {
    const { component, onLost } = this.#options;
    const error = hostLost(component, this.host, cause);
    onLost(error);
    pending.reject(error);
  }

  #say(message: ToHost): void {
    send(this.#options.bus, this.#subject, message, this.#answersAt);
  }

  #answer(message: ToClient): void {
    if (message.kind === 'ping') return;
    const pending = this.#pending.get(message.request);
    this.#pending.delete(message.request);
    if (!pending) return;
    if (message.kind === 'failed') {
      const error = fromWire(message.error);
      // Over there it is final; here others may serve.
      if (error.code === COMPONENT_DOWN) this.#isLost(error.message, pending);
      else pending.reject(error);
      return;
    }
    const { answers, tookMs } = message;
    const hopMs = Math.max(0, this.#options.timers.nowMs() - pending.sentAtMs - tookMs);
    pending.resolve({ answers: [...answers] as (Answer | null)[], hopMs });
  }
}

function hostLost(component: EngineComponent, host: string, cause?: string): RuntimeError {
  const remedy = 'Streams of this component must be opened again.';
  return new RuntimeError(
    'remote.host-lost',
    'The host of a component is gone.',
    { component, host, ...(cause !== undefined && { cause }) },
    remedy,
  );
}
