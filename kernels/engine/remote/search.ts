/** Asking all hosts of a component who is there. */
import type { EngineComponent } from '../lifecycle.ts';
import type { Bus, BusTimers } from './bus.ts';
import { SenderLine, send } from './line.ts';
import { type Find, type Found, subjects } from './wire.ts';

/** So long hosts may take to answer, */
const FIND_MS = 1000;
/** and so long others may after the first. */
const GATHER_MS = 30;

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
  let timer = timers.setTimer(FIND_MS, () => done());
  const line = new SenderLine<Found>({
    message: host => {
      if (host.kind !== 'found') return;
      found.push(host);
      if (found.length > 1) return;
      timer.cancel();
      timer = timers.setTimer(GATHER_MS, () => done());
    },
    unheard: () => done(),
    malformed: () => {},
  });
  const unsubscribe = bus.subscribe(answerAt, message => line.hear(message));
  const stop = () => {
    timer.cancel();
    unsubscribe();
  };
  const done = () => {
    stop();
    onFound(found);
  };
  const find: Find = { kind: 'find', answerAt };
  send(bus, subjects.find(component), find, answerAt);
  return stop;
}
