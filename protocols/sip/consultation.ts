/**
 * The call to somebody who shall take another one over: answered, told what it is about by an agent of its own, and
 * agreed to.
 */
import type { Timer } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Timers } from '../guard/index.ts';
import type { SwitchedCall } from '../switchboard.ts';
import type { SipCall } from './call.ts';
import type { PlacedCalls, PlaceOptions } from './placed-calls.ts';

export interface ConsultationOptions {
  readonly to: string;
  /** What the agent that calls is told; null: it says nothing. */
  readonly announce: string | null;
  /** By which the other party says yes, any other being a no; null: who is there is connected. */
  readonly acceptKey: string | null;
}

const RINGS_MS = 45_000;
const ANNOUNCES_MS = 60_000;
const DECIDES_MS = 20_000;
const LOOK_EVERY_MS = 100;

export class Consultation {
  readonly #options: ConsultationOptions;
  readonly #clock: Timers;
  #call: SipCall | null = null;
  #phone: SwitchedCall | null = null;
  #hangUp: ((reason: string) => void) | null = null;
  #timer: Timer | null = null;
  #failure: string | null = null;
  #onAgreed: (() => void) | null = null;
  #onFailed: ((why: string) => void) | null = null;

  constructor(options: ConsultationOptions, clock: Timers) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Null: it came to nothing, or is over. */
  get call(): SipCall | null {
    return this.#call?.isOver ? null : this.#call;
  }

  /** Null: not answered yet. */
  get phone(): SwitchedCall | null {
    return this.#phone;
  }

  /** Resolves when the other party has agreed; else with why it has not. */
  async agreed(placed: Pick<PlacedCalls, 'place' | 'hangUp'>): Promise<string | null> {
    const { announce, to } = this.#options;
    const outcome = new Promise<string | null>(resolve => {
      this.#onAgreed = () => resolve(null);
      this.#onFailed = resolve;
    });
    const watcher: PlaceOptions['watcher'] = {
      onAnswered: (call, phone) => this.#answered(call, phone),
      onEnded: reason => this.#failed(reason),
    };
    this.#within(RINGS_MS, 'nobody answered');
    try {
      const id = await placed.place(to, { ...(announce !== null && { instructions: announce }), watcher });
      this.#hangUp = reason => placed.hangUp(id, reason);
      // Given up meanwhile.
      if (this.#failure !== null) this.#hangUp(this.#failure);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#failed(error.code);
    }
    return outcome;
  }

  /** Nobody wants it any more. */
  end(reason: string): void {
    this.#failed(reason);
  }

  #answered(call: SipCall, phone: SwitchedCall): void {
    this.#call = call;
    this.#phone = phone;
    if (this.#options.announce === null) {
      phone.wait(true);
      this.#announced();
      return;
    }
    this.#within(ANNOUNCES_MS, 'the announcement did not come to its end');
    phone.onKey = key => this.#key(key);
    let isSaid = false;
    phone.session.events$.subscribe(event => {
      if (event.type === 'response.done' && event.status.kind === 'completed' && !isSaid) {
        isSaid = true;
        this.#whenHeard(phone);
      }
    });
    phone.session.send({ type: 'response.create' });
  }

  #whenHeard(phone: SwitchedCall): void {
    if (this.#failure !== null) return;
    if (phone.isQuiet) this.#announced();
    else this.#clock.setTimer(LOOK_EVERY_MS, () => this.#whenHeard(phone));
  }

  #announced(): void {
    const { acceptKey } = this.#options;
    if (acceptKey === null) this.#done();
    else if (this.#onAgreed) this.#within(DECIDES_MS, 'the other party did not accept');
  }

  #key(key: string): boolean {
    const { acceptKey } = this.#options;
    if (acceptKey === null || !this.#onAgreed) return false;
    if (key === acceptKey) this.#done();
    else this.#failed('the other party declined');
    return true;
  }

  #within(ms: number, why: string): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(ms, () => this.#failed(why));
  }

  #done(): void {
    this.#timer?.cancel();
    this.#phone?.wait(true);
    this.#onAgreed?.();
    this.#onAgreed = null;
  }

  #failed(why: string): void {
    if (this.#failure !== null) return;
    this.#failure = why;
    this.#timer?.cancel();
    this.#onAgreed = null;
    this.#onFailed?.(why);
    this.#hangUp?.(why);
  }
}
