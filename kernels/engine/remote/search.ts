/** Asking all hosts of a component who is there. */
import type { EngineComponent } from '../lifecycle.ts';
import type { Bus, BusTimers } from './bus.ts';
import { SenderLine, send } from './line.ts';
import { type Find, type Found, subjects } from './wire.ts';

/** So long hosts may take to answer, */
const FIND_MS = 1000;
/** and so long others may after the first. */
const GATHER_MS = 30;
/** Nobody has answered: the question may be lost, or hosts may be on their way back to the bus as we were. */
const ASK_AGAIN_MS = 100;

export interface SearchOptions {
  readonly component: EngineComponent;
  readonly bus: Bus;
  readonly timers: BusTimers;
  readonly newId: () => string;
}

/** Hears what they answer, once. Returns how to stop. */
export function search(options: SearchOptions, onFound: (found: readonly Found[]) => void): () => void {
  const { bus, component, timers, newId } = options;
  const answerAt = subjects.client(newId());
  const found: Found[] = [];
  let again = { cancel: () => {} };
  let timer = timers.setTimer(FIND_MS, () => done());
  const line = new SenderLine<Found>({
    message: host => {
      if (host.kind !== 'found' || found.some(known => known.host === host.host)) return;
      found.push(host);
      if (found.length > 1) return;
      again.cancel();
      timer.cancel();
      timer = timers.setTimer(GATHER_MS, () => done());
    },
    unheard: () => {},
    malformed: () => {},
  });
  const unsubscribe = bus.subscribe(answerAt, message => line.hear(message));
  const stop = () => {
    again.cancel();
    timer.cancel();
    unsubscribe();
  };
  const done = () => {
    stop();
    onFound(found);
  };
  const ask = () => {
    const find: Find = { kind: 'find', answerAt };
    again = timers.setTimer(ASK_AGAIN_MS, ask);
    send(bus, subjects.find(component), find, answerAt);
  };
  ask();
  return stop;
}
