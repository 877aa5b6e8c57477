/** One call with those who watch it: what happens is told, and both voices are heard, mixed once for all of them. */
import type { Subscription } from 'rxjs';
import type { Clock } from '../../actors/core/clock.ts';
import { CODECS, VoiceMix } from '../media/index.ts';
import type { SwitchedCall } from '../switchboard.ts';
import { eventTold, saidBefore } from './told.ts';

export interface CallWatcher {
  tell(event: object): void;
  /** 20 ms of both voices: 24 kHz, 16 bits, least byte first. */
  sound(bytes: Buffer): void;
  over(): void;
}

/** Of what was said before. */
const MAX_EARLIER_ITEMS = 100;

export class WatchedCall {
  readonly #call: SwitchedCall;
  readonly #watchers = new Set<CallWatcher>();
  readonly #mix: VoiceMix;
  readonly #subscription: Subscription;
  readonly #onUnwatched: () => void;
  readonly #forgetOver: () => void;

  /** `onUnwatched`: nobody is left, or the call is over. Once. */
  constructor(call: SwitchedCall, clock: Clock, onUnwatched: () => void) {
    this.#call = call;
    this.#onUnwatched = onUnwatched;
    this.#mix = new VoiceMix(clock, frame => {
      const bytes = CODECS.pcm16.encode(frame);
      for (const watcher of this.#watchers) watcher.sound(bytes);
    });
    call.tap = this.#mix;
    this.#subscription = call.session.events$.subscribe(event => {
      const told = eventTold(event);
      if (told) for (const watcher of this.#watchers) watcher.tell(told);
    });
    this.#forgetOver = call.whenOver(() => this.#end());
  }

  get size(): number {
    return this.#watchers.size;
  }

  join(watcher: CallWatcher): void {
    this.#watchers.add(watcher);
    for (const told of saidBefore(this.#call.session, MAX_EARLIER_ITEMS)) watcher.tell(told);
  }

  leave(watcher: CallWatcher): void {
    if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#stop();
  }

  #end(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    this.#stop();
    for (const watcher of watchers) watcher.over();
  }

  #stop(): void {
    this.#mix.stop();
    this.#subscription.unsubscribe();
    this.#forgetOver();
    if (this.#call.tap === this.#mix) this.#call.tap = null;
    this.#onUnwatched();
  }
}
