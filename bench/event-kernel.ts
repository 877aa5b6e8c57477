/**
 * The event kernel of the simulator in the hold model: take the next event, schedule another, so that the number of
 * pending events stays the same. Beside RxJS `VirtualTimeScheduler` doing the same, and the limit: a bare heap of plain
 * numbers that calls nothing and cannot cancel.
 *
 *   node --import tsx bench/event-kernel.ts [--json]
 */
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { VirtualTimeScheduler } from 'rxjs';
import { createRandom } from '../actors/core/index.ts';
import { VirtualClock } from '../actors/core/virtual-clock.ts';
import { BareHeap } from './event-kernel/bare-heap.ts';

export interface EventKernelRow {
  readonly pending: number;
  readonly kernel: string;
  /** Over the repetitions. */
  readonly eventsPerSecond: { readonly median: number; readonly lowest: number; readonly highest: number };
}

interface Kernel {
  readonly name: string;
  /** Seconds that `events` events took at `pending` pending, without the set-up. */
  readonly hold: (pending: number, events: number) => number;
  /** How many events one repetition measures. */
  readonly events: (pending: number) => number;
}

const REPETITIONS = 7;
const PENDING = [10, 1_000, 10_000, 100_000];

/** Drawn beforehand, so that drawing them is not measured. */
const random = createRandom('event-kernel');
const DELAYS_MS = Float64Array.from({ length: 1 << 16 }, () => random.next() * 1000);
const delayMs = (index: number): number => DELAYS_MS[index & (DELAYS_MS.length - 1)];

const kernels: readonly Kernel[] = [
  { name: 'VirtualClock timers', hold: holdTimers, events: () => 500_000 },
  { name: 'VirtualClock scheduler', hold: holdScheduler, events: () => 200_000 },
  { name: 'bare heap (the limit)', hold: holdBareHeap, events: () => 500_000 },
  // It sorts all that is pending at each schedule, so that few events tell its speed.
  {
    name: 'RxJS VirtualTimeScheduler',
    hold: holdPeer,
    events: pending => Math.min(20_000, 5_000_000 / pending),
  },
];

/** One kernel after the other, the peer last: what it leaves to the garbage collector slows down what follows. */
export function eventKernel(repetitions = REPETITIONS): EventKernelRow[] {
  return kernels.flatMap(kernel => PENDING.map(pending => measure(kernel, pending, repetitions)));
}

function measure({ name, hold, events }: Kernel, pending: number, repetitions: number): EventKernelRow {
  const count = events(pending);
  // The first time only warms the compiler up.
  hold(pending, count);
  const rates = Array.from({ length: repetitions }, () => count / hold(pending, count)).sort((a, b) => a - b);
  const eventsPerSecond = { median: rates[rates.length >> 1], lowest: rates[0], highest: rates.at(-1)! };
  return { pending, kernel: name, eventsPerSecond };
}

function holdTimers(pending: number, events: number): number {
  const clock = new VirtualClock();
  const watch = new StopWatch(events);
  const fire = (): void => {
    if (watch.isRunning()) clock.setTimer(delayMs(watch.left), fire);
  };
  for (let at = 0; at < pending; at++) clock.setTimer(delayMs(at * 7), fire);
  watch.start();
  clock.runToCompletionSync();
  return watch.seconds;
}

function holdScheduler(pending: number, events: number): number {
  const clock = new VirtualClock();
  const watch = new StopWatch(events);
  for (let at = 0; at < pending; at++) {
    clock.scheduler.schedule(
      function () {
        if (watch.isRunning()) this.schedule(undefined, delayMs(watch.left));
      },
      delayMs(at * 7),
    );
  }
  watch.start();
  clock.runToCompletionSync();
  return watch.seconds;
}

function holdPeer(pending: number, events: number): number {
  const scheduler = new VirtualTimeScheduler();
  const watch = new StopWatch(events);
  const fire = (): void => {
    if (watch.isRunning()) scheduler.schedule(fire, delayMs(watch.left));
    else scheduler.actions.length = 0;
  };
  // Sorting at each schedule of the set-up would take minutes: here once, into a fresh array as the peer would have it.
  scheduler.actions.sort = () => scheduler.actions;
  for (let at = 0; at < pending; at++) scheduler.schedule(fire, delayMs(at * 7));
  scheduler.actions = [...scheduler.actions].sort((a, b) => a.delay - b.delay);
  watch.start();
  scheduler.flush();
  return watch.seconds;
}

function holdBareHeap(pending: number, events: number): number {
  const heap = new BareHeap(pending);
  const watch = new StopWatch(events);
  for (let at = 0; at < pending; at++) heap.push(delayMs(at * 7));
  watch.start();
  while (watch.isRunning()) heap.push(heap.pop() + delayMs(watch.left));
  return watch.seconds;
}

/** Counts events down and stops itself at the last. */
class StopWatch {
  left: number;
  seconds = 0;
  #startedAtMs = 0;

  constructor(events: number) {
    this.left = events;
  }

  start(): void {
    this.#startedAtMs = performance.now();
  }

  isRunning(): boolean {
    if (this.left > 0) {
      this.left--;
      return true;
    }
    if (this.seconds === 0) this.seconds = (performance.now() - this.#startedAtMs) / 1000;
    return false;
  }
}

function printTable(rows: readonly EventKernelRow[]): void {
  const millions = (rate: number) => (rate / 1e6).toPrecision(3);
  console.log('events per second in millions, median (lowest to highest)\n');
  for (const { pending, kernel, eventsPerSecond } of rows) {
    const { median, lowest, highest } = eventsPerSecond;
    const spread = `${millions(median)}  (${millions(lowest)} to ${millions(highest)})`;
    console.log(`${kernel.padEnd(26)} ${String(pending).padStart(7)} pending  ${spread}`);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { json } = new Command('event-kernel')
    .option('--json', 'print the rows as JSON', false)
    .parse()
    .opts<{ json: boolean }>();
  const rows = eventKernel();
  if (json) console.log(JSON.stringify(rows, null, 2));
  else printTable(rows);
}
