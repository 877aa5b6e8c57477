/**
 * What the tools of a recording gave: while it is followed when it says so, and afterwards what they gave when they
 * were asked the same.
 */
import type { VirtualClock } from '../core/virtual-clock.ts';
import type { RecordedToolOutcome, RecordingEntry, ToolAsk } from './format.ts';

interface Given {
  readonly outcome: RecordedToolOutcome;
  readonly tookMs: number;
}

type Deliver = (outcome: RecordedToolOutcome) => void;

const NOT_HELD: Given = {
  outcome: { error: 'The recording does not hold what this call gives.' },
  tookMs: 0,
};

export class ToolAnswers {
  readonly #entries: () => Iterable<RecordingEntry>;
  readonly #onAsk: (ask: ToolAsk) => void;
  readonly #waiting = new Map<number, Deliver>();
  #asks = 0;
  #virtual: VirtualClock | null = null;
  /** By what was asked, oldest first. Looked for when it is first needed. */
  #given: Map<string, Given[]> | null = null;

  /** @param onAsk while the recording is followed */
  constructor(entries: () => Iterable<RecordingEntry>, onAsk: (ask: ToolAsk) => void) {
    this.#entries = entries;
    this.#onAsk = onAsk;
  }

  readonly answer = (ask: ToolAsk): Promise<RecordedToolOutcome> =>
    new Promise(deliver => {
      if (this.#virtual) this.#freely(ask, this.#virtual, deliver);
      else {
        this.#onAsk(ask);
        this.#waiting.set(this.#asks++, deliver);
      }
    });

  /** The recording says that the nth has been answered; false: nobody waits for it. */
  deliver(ask: number, outcome: RecordedToolOutcome): boolean {
    const deliver = this.#waiting.get(ask);
    this.#waiting.delete(ask);
    deliver?.(outcome);
    return deliver !== undefined;
  }

  /** From here on the recording does not say when. */
  setFree(virtual: VirtualClock): void {
    this.#virtual = virtual;
  }

  /** The same as then, after as long as then; what is asked oftener is answered as the last time. */
  #freely(ask: ToolAsk, virtual: VirtualClock, deliver: Deliver): void {
    this.#given ??= givenIn(this.#entries());
    const given = this.#given.get(nameOf(ask)) ?? [];
    const { outcome, tookMs } = (given.length > 1 ? given.shift() : given[0]) ?? NOT_HELD;
    virtual.setTimer(tookMs, () => deliver(outcome));
  }
}

const nameOf = ({ tool, what, given }: ToolAsk): string => JSON.stringify([tool, what, given]);

function givenIn(entries: Iterable<RecordingEntry>): Map<string, Given[]> {
  const asked: { readonly name: string; readonly atMs: number }[] = [];
  const given = new Map<string, Given[]>();
  for (const { asks, atMs, cause } of entries) {
    if (cause.type === 'tool' && asked[cause.ask]) {
      const { name, atMs: askedAtMs } = asked[cause.ask];
      const all = given.get(name) ?? [];
      all.push({ outcome: cause.outcome, tookMs: Math.max(0, atMs - askedAtMs) });
      given.set(name, all);
    }
    for (const ask of asks) asked.push({ name: nameOf(ask), atMs });
  }
  return given;
}
