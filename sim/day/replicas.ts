/** Copies of an engine that come when they are wanted and go when they are not: autoscaling, as calls see it. */
import { exponential, type Clock, type Random, type Timer } from '../../actors/core/index.ts';
import type { Scenario } from '../scenarios/schema.ts';

type DayScenario = NonNullable<Scenario['day']>;
export type ReplicaRule = NonNullable<DayScenario['replicas']>;

export interface Replica {
  readonly number: number;
  readonly orderedMs: number;
  isReady: boolean;
  /** It takes no more calls. */
  isLeaving: boolean;
  endedMs: number | null;
  calls: number;
}

export class Replicas {
  /** Those that are paid for. */
  readonly #there = new Set<Replica>();
  readonly #rule: ReplicaRule;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onLost: (replica: Replica) => void;
  #ordered = 0;
  #calls = 0;
  #tooMany: Timer | null = null;
  #paidMs = 0;
  #paidUntilMs = 0;

  /** Begins with as many as so many calls want. */
  constructor(
    rule: ReplicaRule,
    calls: number,
    clock: Clock,
    random: Random,
    onLost: (replica: Replica) => void,
  ) {
    this.#rule = rule;
    this.#clock = clock;
    this.#random = random;
    this.#onLost = onLost;
    const first = Math.min(rule.most, this.#wanted(calls));
    for (let i = 0; i < first; i++) this.#order(0);
  }

  get count(): number {
    return this.#there.size;
  }

  /** Replica-milliseconds until now. */
  paidMs(): number {
    const nowMs = this.#clock.nowMs();
    this.#paidMs += this.#there.size * (nowMs - this.#paidUntilMs);
    this.#paidUntilMs = nowMs;
    return this.#paidMs;
  }

  /** The emptiest that has room takes the call; null: none has. */
  take(): Replica | null {
    let emptiest: Replica | null = null;
    for (const replica of this.#there) {
      if (!replica.isReady || replica.isLeaving || replica.calls >= this.#rule.sessions) continue;
      if (!emptiest || replica.calls < emptiest.calls) emptiest = replica;
    }
    if (emptiest) {
      emptiest.calls += 1;
      this.#calls += 1;
    }
    this.#adjust();
    return emptiest;
  }

  leave(replica: Replica): void {
    replica.calls -= 1;
    this.#calls -= 1;
    if (replica.isLeaving && replica.calls === 0) this.#end(replica);
    this.#adjust();
  }

  /** The fullest fails. */
  loseOne(): void {
    let fullest: Replica | null = null;
    for (const replica of this.#there)
      if (replica.isReady && (!fullest || replica.calls > fullest.calls)) fullest = replica;
    if (fullest) this.#lose(fullest);
  }

  #wanted(calls: number): number {
    const { least, sessions, spare } = this.#rule;
    return Math.max(least, Math.ceil((calls * (1 + spare)) / sessions));
  }

  /** Who was leaving stays before another is ordered; one too many leaves after a while. */
  #adjust(): void {
    const staying = [...this.#there].filter(({ isLeaving }) => !isLeaving);
    const wanted = Math.min(this.#rule.most, this.#wanted(this.#calls));
    let missing = wanted - staying.length;
    for (const replica of this.#there) {
      if (missing <= 0) break;
      if (!replica.isLeaving) continue;
      replica.isLeaving = false;
      missing -= 1;
    }
    for (; missing > 0 && this.#there.size < this.#rule.most; missing--)
      this.#order(this.#rule.startS * 1000);
    if (missing >= 0) {
      this.#tooMany?.cancel();
      this.#tooMany = null;
    } else this.#tooMany ??= this.#clock.setTimer(this.#rule.idleS * 1000, () => this.#letGo());
  }

  #letGo(): void {
    this.#tooMany = null;
    const staying = [...this.#there].filter(({ isLeaving }) => !isLeaving);
    const wanted = Math.min(this.#rule.most, this.#wanted(this.#calls));
    staying.sort((a, b) => a.calls - b.calls || b.number - a.number);
    for (const replica of staying.slice(0, Math.max(0, staying.length - wanted))) {
      replica.isLeaving = true;
      if (replica.calls === 0) this.#end(replica);
    }
  }

  #order(startMs: number): void {
    this.paidMs();
    const orderedMs = this.#clock.nowMs();
    const replica: Replica = {
      ...{ number: this.#ordered++, orderedMs, endedMs: null, calls: 0 },
      ...{ isReady: startMs === 0, isLeaving: false },
    };
    this.#there.add(replica);
    if (startMs > 0)
      this.#clock.setTimer(startMs, () => {
        replica.isReady = true;
      });
    const { failureS } = this.#rule;
    if (failureS === 0) return;
    this.#clock.setTimer(startMs + exponential(this.#random, failureS * 1000), () => {
      if (this.#there.has(replica)) this.#lose(replica);
    });
  }

  #lose(replica: Replica): void {
    this.#end(replica);
    this.#calls -= replica.calls;
    replica.calls = 0;
    this.#onLost(replica);
    this.#adjust();
  }

  #end(replica: Replica): void {
    this.paidMs();
    replica.endedMs = this.#clock.nowMs();
    this.#there.delete(replica);
  }
}
