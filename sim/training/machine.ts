/**
 * Runs ranks' programs on the virtual clock: the one that the conversations of the simulator run on
 * (ARCHITECTURE.md §6).
 */
import { VirtualClock } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { Processor } from './processor.ts';
import type { Execution, Operation, Program, RankAccount, OperationSpan } from './program.ts';

export interface MachineOptions {
  /** Processors that ranks are bound to in turn; one each unless given. */
  readonly processors?: number;
  /** Ranks whose spans are kept; all unless given. */
  readonly drawn?: (rank: number) => boolean;
}

/** @throws RuntimeError `sim.training-stuck`: some ranks wait for what nobody does */
export function execute(programs: readonly Program[], options: MachineOptions = {}): Execution {
  const clock = new VirtualClock();
  const machine = new Machine(clock, programs, options);
  machine.begin();
  clock.runToCompletionSync();
  return machine.result();
}

interface Rank {
  readonly program: Program;
  at: number;
  bytes: number;
  peakBytes: number;
  busyMs: number;
  byLabel: Record<string, number>;
  ended: boolean;
}

class Machine {
  readonly #clock: VirtualClock;
  /** By rank; null: a rank has one of its own. */
  readonly #processors: readonly (Processor | null)[];
  readonly #ranks: readonly Rank[];
  readonly #drawn: (rank: number) => boolean;
  readonly #spans: OperationSpan[] = [];
  /** Messages that are there, and ranks that wait for one, by "from>to tag". */
  readonly #arrived = new Map<string, number>();
  readonly #waiting = new Map<string, number>();
  readonly #meetings = new Map<string, number[]>();

  constructor(clock: VirtualClock, programs: readonly Program[], { processors, drawn }: MachineOptions) {
    this.#clock = clock;
    const shared = Array.from({ length: processors ?? 0 }, () => new Processor(clock));
    this.#processors = programs.map((_, rank) => (processors ? shared[rank % processors] : null));
    this.#drawn = drawn ?? (() => true);
    this.#ranks = programs.map(program => ({
      program,
      at: 0,
      bytes: 0,
      peakBytes: 0,
      busyMs: 0,
      byLabel: {},
      ended: false,
    }));
  }

  begin(): void {
    for (const rank of this.#ranks.keys()) this.#goOn(rank);
  }

  result(): Execution {
    const stuck = this.#ranks.flatMap((rank, i) => (rank.ended ? [] : [i]));
    if (stuck.length > 0) {
      const values = {
        ranks: stuck.slice(0, 8).join(', '),
        at: describe(this.#ranks[stuck[0]].program[this.#ranks[stuck[0]].at]),
      };
      throw new RuntimeError(
        'sim.training-stuck',
        'Ranks wait for a message or a meeting that never comes.',
        values,
      );
    }
    const ranks: RankAccount[] = this.#ranks.map(({ busyMs, byLabel, peakBytes }) => ({
      busyMs,
      byLabel,
      peakBytes,
    }));
    return { ms: this.#clock.nowMs(), ranks, spans: this.#spans };
  }

  /** Goes through the program until it has to wait. */
  #goOn(index: number): void {
    const rank = this.#ranks[index];
    for (;;) {
      const operation = rank.program[rank.at];
      if (!operation) {
        rank.ended = true;
        return;
      }
      if (operation.kind === 'send') this.#send(index, operation);
      else if (operation.kind !== 'receive' || !this.#received(index, operation)) {
        if (operation.kind === 'work') this.#work(index, operation);
        else if (operation.kind === 'meet') this.#meet(index, operation);
        return;
      }
      rank.at++;
    }
  }

  #work(index: number, operation: Extract<Operation, { kind: 'work' }>): void {
    const startMs = this.#clock.nowMs();
    this.#hold(index, operation.takes ?? 0);
    const done = () => this.#end(index, operation, startMs);
    const shared = this.#processors[index];
    if (shared) shared.run(operation.ms, done);
    else this.#clock.setTimer(operation.ms, done);
  }

  #send(index: number, { to, tag, ms }: Extract<Operation, { kind: 'send' }>): void {
    const key = `${index}>${to} ${tag}`;
    this.#clock.setTimer(ms, () => {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) {
        this.#arrived.set(key, (this.#arrived.get(key) ?? 0) + 1);
        return;
      }
      this.#waiting.delete(key);
      this.#ranks[waiting].at++;
      this.#goOn(waiting);
    });
  }

  #received(index: number, { from, tag }: Extract<Operation, { kind: 'receive' }>): boolean {
    const key = `${from}>${index} ${tag}`;
    const there = this.#arrived.get(key) ?? 0;
    if (there === 0) {
      this.#waiting.set(key, index);
      return false;
    }
    if (there === 1) this.#arrived.delete(key);
    else this.#arrived.set(key, there - 1);
    return true;
  }

  #meet(index: number, operation: Extract<Operation, { kind: 'meet' }>): void {
    const there = this.#meetings.get(operation.id) ?? [];
    there.push(index);
    this.#meetings.set(operation.id, there);
    if (there.length < operation.members) return;
    this.#meetings.delete(operation.id);
    const startMs = this.#clock.nowMs();
    for (const member of there) {
      const own = this.#ranks[member].program[this.#ranks[member].at] as typeof operation;
      this.#hold(member, own.takes ?? 0);
      this.#clock.setTimer(own.ms, () => this.#end(member, own, startMs));
    }
  }

  #end(index: number, operation: Extract<Operation, { label: string }>, startMs: number): void {
    const rank = this.#ranks[index];
    const endMs = this.#clock.nowMs();
    this.#hold(index, -(operation.frees ?? 0));
    rank.busyMs += endMs - startMs;
    rank.byLabel[operation.label] = (rank.byLabel[operation.label] ?? 0) + endMs - startMs;
    if (endMs > startMs && this.#drawn(index)) {
      const microBatch = operation.kind === 'work' ? (operation.microBatch ?? null) : null;
      this.#spans.push({ rank: index, label: operation.label, microBatch, startMs, endMs });
    }
    rank.at++;
    this.#goOn(index);
  }

  #hold(index: number, bytes: number): void {
    const rank = this.#ranks[index];
    rank.bytes += bytes;
    rank.peakBytes = Math.max(rank.peakBytes, rank.bytes);
  }
}

function describe(operation: Operation): string {
  if (operation.kind === 'receive') return `receive ${operation.tag} from rank ${operation.from}`;
  return operation.kind === 'meet' ? `meeting ${operation.id}` : operation.kind;
}
