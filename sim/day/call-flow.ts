/**
 * Every call of a day, without what is said in it: when it comes, whether there is room, when it ends or is lost, and
 * who dials again. Cheap, so that all of them are simulated; the conversations of a few stretches follow from it.
 */
import { exponential, type Random, type Timer, VirtualClock } from '../../actors/core/index.ts';
import { type Calls, factorAt, greatestFactor } from '../calls-load.ts';
import { type Replica, type ReplicaRule, Replicas } from './replicas.ts';

/** A stretch whose conversations are wanted. */
export interface DayStretch {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FlowCall {
  readonly replica: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Of one part of the day. */
export interface DayPart {
  readonly fromMs: number;
  readonly toMs: number;
  /** Calls that were dialled, those dialled again too. */
  dialled: number;
  refused: number;
  /** Their replica failed. */
  lost: number;
  mostCalls: number;
  callMs: number;
  replicaMs: number;
}

export interface CallFlow {
  readonly parts: readonly DayPart[];
  /** By stretch: the calls that are under way in it. */
  readonly calls: readonly (readonly FlowCall[])[];
}

export interface CallFlowOptions {
  readonly load: Calls;
  readonly rule: ReplicaRule;
  readonly lostAtMs: readonly number[];
  readonly redial: { readonly share: number; readonly afterS: number };
  readonly partMs: number;
  readonly toMs: number;
  readonly stretches: readonly DayStretch[];
  readonly random: Random;
}

interface CallUnderWay {
  readonly replica: Replica;
  readonly fromMs: number;
  readonly end: Timer;
}

export function callFlow(options: CallFlowOptions): CallFlow {
  return new DayOfCalls(options).run();
}

class DayOfCalls {
  readonly #clock = new VirtualClock();
  readonly #options: CallFlowOptions;
  readonly #arrivals: Random;
  readonly #lengths: Random;
  readonly #redials: Random;
  readonly #replicas: Replicas;
  readonly #underWay = new Set<CallUnderWay>();
  readonly #parts: DayPart[] = [];
  readonly #calls: FlowCall[][];
  #accountedMs = 0;
  #paidMs = 0;

  constructor(options: CallFlowOptions) {
    const { load, random, rule, stretches } = options;
    this.#options = options;
    this.#arrivals = random.split('arrivals');
    this.#lengths = random.split('lengths');
    this.#redials = random.split('redials');
    this.#calls = stretches.map(() => []);
    const first = this.#expected();
    this.#replicas = new Replicas(rule, first, this.#clock, random.split('failures'), replica =>
      this.#lost(replica),
    );
    // As if it had been running for long: of an exponential length the rest is as long as the whole.
    for (let i = 0; i < Math.min(first, load.lines); i++) this.#begin();
  }

  run(): CallFlow {
    const { lostAtMs, partMs, toMs } = this.#options;
    for (const atMs of lostAtMs) this.#clock.setTimer(atMs, () => this.#replicas.loseOne());
    this.#nextArrival();
    for (let fromMs = 0; fromMs < toMs; fromMs += partMs) {
      const mostCalls = this.#underWay.size;
      const untilMs = Math.min(toMs, fromMs + partMs);
      const none = { dialled: 0, refused: 0, lost: 0, callMs: 0, replicaMs: 0 };
      this.#parts.push({ fromMs, toMs: untilMs, mostCalls, ...none });
      this.#clock.runUntilSync(untilMs);
      this.#account();
    }
    for (const call of this.#underWay) this.#keep(call);
    return { parts: this.#parts, calls: this.#calls };
  }

  #expected(): number {
    const { load } = this.#options;
    return Math.round(load.callsPerMinute * factorAt(load, 0) * load.callMinutes);
  }

  /** Thinned from the greatest rate (Lewis and Shedler). */
  #nextArrival(): void {
    const { load } = this.#options;
    const most = greatestFactor(load);
    if (most <= 0) return;
    this.#clock.setTimer(exponential(this.#arrivals, 60_000 / (load.callsPerMinute * most)), () => {
      const share = factorAt(load, this.#clock.nowMs()) / most;
      if (share >= 1 || this.#arrivals.next() < share) this.#dial();
      this.#nextArrival();
    });
  }

  #dial(): void {
    this.#part.dialled += 1;
    if (this.#underWay.size < this.#options.load.lines && this.#begin()) return;
    this.#part.refused += 1;
    this.#redial();
  }

  #begin(): boolean {
    this.#account();
    const replica = this.#replicas.take();
    if (!replica) return false;
    const lengthMs = exponential(this.#lengths, this.#options.load.callMinutes * 60_000);
    const call: CallUnderWay = {
      replica,
      fromMs: this.#clock.nowMs(),
      end: this.#clock.setTimer(lengthMs, () => {
        this.#over(call);
        this.#replicas.leave(replica);
      }),
    };
    this.#underWay.add(call);
    const part = this.#parts.at(-1);
    if (part) part.mostCalls = Math.max(part.mostCalls, this.#underWay.size);
    return true;
  }

  #lost(replica: Replica): void {
    for (const call of [...this.#underWay].filter(each => each.replica === replica)) {
      call.end.cancel();
      this.#over(call);
      this.#part.lost += 1;
      this.#redial();
    }
  }

  #redial(): void {
    const { afterS, share } = this.#options.redial;
    if (this.#redials.next() >= share) return;
    this.#clock.setTimer(exponential(this.#redials, afterS * 1000), () => this.#dial());
  }

  #over(call: CallUnderWay): void {
    this.#account();
    this.#underWay.delete(call);
    this.#keep(call);
  }

  /** Only what a stretch needs, so that a day takes no more memory than its stretches. */
  #keep({ fromMs, replica: { number: replica } }: CallUnderWay): void {
    const toMs = this.#clock.nowMs();
    this.#options.stretches.forEach((stretch, i) => {
      if (fromMs < stretch.toMs && toMs > stretch.fromMs) this.#calls[i].push({ replica, fromMs, toMs });
    });
  }

  get #part(): DayPart {
    return this.#parts[this.#parts.length - 1];
  }

  /** Time that has passed goes to the part that it is of. */
  #account(): void {
    const nowMs = this.#clock.nowMs();
    const part = this.#parts.at(-1);
    if (!part) return;
    const paidMs = this.#replicas.paidMs();
    part.callMs += this.#underWay.size * (nowMs - this.#accountedMs);
    part.replicaMs += paidMs - this.#paidMs;
    this.#accountedMs = nowMs;
    this.#paidMs = paidMs;
  }
}
