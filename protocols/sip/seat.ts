/** Where an agent sits: the call whose sound it hears and makes. A transfer moves it to another one. */
import type { CallEnd } from './call-end.ts';
import type { CallMedia } from './call-media.ts';
import type { SipCall } from './call.ts';
import { SeatEnd } from './seat-end.ts';

export interface SeatCall {
  hangUp(reason: string): void;
  /** Null: not answered yet. */
  sip(): SipCall | null;
}

export class Seat {
  /** Of the agent's session. */
  id = '';
  media: CallMedia;
  /** Somebody hung up on the agent, or it hung up. */
  isHungUp = false;
  #isOver = false;
  #end: CallEnd | null = null;
  #sitting: SeatEnd | null = null;
  #call: SeatCall | null = null;
  /** That the agent is on its way to. */
  #next: { hangUp(reason: string): void } | null = null;
  readonly #onLeft: () => void;

  /** `onLeft`: the agent is in no call any more. Once. */
  constructor(media: CallMedia, onLeft: () => void) {
    this.media = media;
    this.#onLeft = onLeft;
  }

  /** The agent's own. */
  get end(): CallEnd {
    return this.#end!;
  }

  get isUp(): boolean {
    return (this.#call?.sip() ?? null) !== null;
  }

  /** The agent sits down. Returns its end for the call. */
  taken(id: string, end: CallEnd): SeatEnd {
    this.id = id;
    this.#end = end;
    this.#sitting = new SeatEnd(end, true);
    return this.#sitting;
  }

  sitsIn(call: SeatCall): void {
    this.#call = call;
  }

  hangUp(reason: string): void {
    this.isHungUp = true;
    this.#next?.hangUp(reason);
    this.#call?.hangUp(reason);
  }

  /** Null: no call is up. */
  transfer(target: string): ReturnType<SipCall['transfer']> | null {
    return this.#call?.sip()?.transfer(target) ?? null;
  }

  /** Whoever is at the other end waits, or does not any more. */
  async hold(isHeld: boolean): Promise<void> {
    await this.#call?.sip()?.hold(isHeld);
  }

  /** From now on that the call it is in ends is no end. */
  goesTo(call: { hangUp(reason: string): void }): void {
    this.#next = call;
    this.#sitting!.isLeaving = true;
  }

  /** To another call, which was answered. Returns the one it was in. */
  moves(media: CallMedia, end: SeatEnd, call: SeatCall): SipCall | null {
    // What was being said was said to somebody else.
    this.end.held();
    const before = this.#call?.sip() ?? null;
    this.#sitting!.isTaken = false;
    end.isTaken = true;
    this.#sitting = end;
    this.#call = call;
    this.#next = null;
    this.media = media;
    this.end.restarted();
    return before;
  }

  /** The other call came to nothing. Who sent us there may be gone already. */
  stays(reason: string): void {
    this.#next = null;
    this.#sitting!.isLeaving = false;
    if (!(this.#call?.sip()?.isOver ?? true)) return;
    this.end.hungUp(reason);
    this.#left();
  }

  /** The call of this end is over. */
  ended(end: SeatEnd): void {
    if (end === this.#sitting && this.#next === null) this.#left();
  }

  #left(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onLeft();
  }
}
