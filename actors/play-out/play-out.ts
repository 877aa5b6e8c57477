/**
 * The last stage before the ear. Speech waits behind the gate until the endpoint (t4); then it leaves for the speaker,
 * at once or as 20 ms frames by the clock, at most the speaker's `leadMs` ahead. Ducking is a gain, so nothing is lost
 * by it.
 *
 *   speech ──► [ held ] ──gate──► [ queue ] ──at once | paced──► speaker ··► ear
 *                                                  └──────────► heard-ledger ◄·· played
 */
import type { Clock, Timer } from '../core/clock.ts';
import type { HeardLedger } from './heard-ledger.ts';
import type { PlayOutOutput } from './messages.ts';
import type { Speaker } from './speaker.ts';
import { TimeStretch } from './time-stretch.ts';

export interface PlayOutOptions {
  readonly clock: Clock;
  readonly ledger: HeardLedger;
  readonly sampleRate: number;
  readonly speaker: Speaker;
  /** How long an item may wait for the transport's reports after its modelled end. */
  readonly reportGraceMs: number;
  readonly emit: (output: PlayOutOutput) => void;
}

const FRAME_MS = 20;
/** A gain step over 5 ms makes no click. */
const RAMP_MS = 5;

interface Item {
  readonly id: string;
  readonly waiting: Float32Array[];
  /** Samples of the first of these that have left. */
  leftOfFirst: number;
  waitingSamples: number;
  /** Of all that leaves. */
  limitSamples: number;
  finished: boolean;
  /** Its first speech decides; null until then. */
  speed: number | null;
  /** Null: at its own speed. */
  stretch: TimeStretch | null;
}

export class PlayOut {
  readonly #ledger: HeardLedger;
  readonly #options: PlayOutOptions;
  readonly #samplesPerMs: number;
  readonly #frameSamples: number;
  readonly #items: Item[] = [];
  #speaker: Speaker;
  #open = false;
  #held = false;
  #isLineLost = false;
  #gain = 1;
  #appliedGain = 1;
  #pace: Timer | null = null;
  readonly #watches = new Map<string, Timer>();

  constructor(options: PlayOutOptions) {
    this.#options = options;
    this.#speaker = options.speaker;
    this.#samplesPerMs = options.sampleRate / 1000;
    this.#frameSamples = FRAME_MS * this.#samplesPerMs;
    this.#ledger = options.ledger;
  }

  /** Speech of a reply, in order. */
  add(itemId: string, samples: Float32Array, speed = 1): void {
    const item = this.#item(itemId);
    if (item.speed === null) {
      item.speed = speed;
      if (speed !== 1) item.stretch = new TimeStretch(this.#options.sampleRate, speed);
    }
    wait(item, item.stretch ? item.stretch.push(samples) : samples);
    this.#trim(item);
    this.#send();
  }

  /** No more speech of this item will come. */
  finish(itemId: string): void {
    const item = this.#item(itemId);
    if (item.stretch && !item.finished) wait(item, item.stretch.finish());
    this.#trim(item);
    item.finished = true;
    this.#send();
  }

  openGate(): void {
    this.#open = true;
    this.#send();
  }

  closeGate(): void {
    this.#open = false;
  }

  setSpeaker(speaker: Speaker): void {
    this.#speaker = speaker;
    this.#send();
  }

  /** Nothing is heard while held, and nothing is lost by it; only where we pace or the speaker can pause. */
  hold(held: boolean): void {
    if (this.#speaker.pause && held !== this.#held) this.#pause(this.#speaker, held);
    this.#held = held;
    this.#send();
  }

  #pause(speaker: Speaker, held: boolean): void {
    if (held) {
      speaker.pause!();
      this.#ledger.paused();
    } else {
      this.#ledger.resumed();
      speaker.resume!();
    }
  }

  /** While the far end is out of reach nothing that was sent is heard, and nothing is given up. */
  setLine(lost: boolean): void {
    if (lost === this.#isLineLost) return;
    this.#isLineLost = lost;
    if (lost) this.#ledger.paused();
    else this.#ledger.resumed();
  }

  /** Applied here when we pace; a speaker that has the queue applies it itself. */
  setGainDb(gainDb: number): void {
    this.#gain = 10 ** (gainDb / 20);
    this.#speaker.duck?.(gainDb);
  }

  /** Drops what has not left; the item then ends with what was sent, even if that is nothing. */
  dropUnsent(itemId: string): void {
    if (this.#watches.has(itemId)) return;
    const item = this.#item(itemId);
    item.waiting.length = 0;
    item.leftOfFirst = 0;
    item.waitingSamples = 0;
    item.finished = true;
    this.#send();
  }

  /** No more than so many samples of the item shall be heard, counted from its beginning. */
  limit(itemId: string, samples: number): void {
    if (this.#watches.has(itemId)) return;
    const item = this.#item(itemId);
    item.limitSamples = samples;
    this.#trim(item);
  }

  /** The item was never meant to be heard (a speculation rolled back): as if it had not been added. */
  discard(itemId: string): void {
    const at = this.#items.findIndex(item => item.id === itemId);
    if (at >= 0) this.#items.splice(at, 1);
  }

  /** The far end plays no more of the item; what stands behind it may leave earlier now. */
  stopped(itemId: string): void {
    this.#watches.get(itemId)?.cancel();
    this.#watches.delete(itemId);
    this.discard(itemId);
    this.#pace?.cancel();
    this.#pace = null;
    this.#send();
  }

  /** Throws away everything that was not heard, here and in the far queue. */
  clear(): void {
    this.#ledger.cleared();
    if (this.#isLineLost) this.#ledger.paused();
    this.#speaker.flush();
    this.#items.length = 0;
    this.#cancelTimers();
    this.#open = false;
    this.#held = false;
    this.#appliedGain = this.#gain;
  }

  /** A report of the transport may complete an item that is waiting for it. */
  reported(itemId: string): void {
    if (this.#watches.has(itemId) && this.#ledger.heardSamples(itemId) >= this.#ledger.sentSamples(itemId)) {
      this.#heard(itemId);
    }
  }

  close(): void {
    this.#items.length = 0;
    this.#cancelTimers();
  }

  #item(itemId: string): Item {
    let item = this.#items.find(candidate => candidate.id === itemId);
    if (!item) {
      item = {
        id: itemId,
        waiting: [],
        leftOfFirst: 0,
        waitingSamples: 0,
        limitSamples: Number.POSITIVE_INFINITY,
        finished: false,
        speed: null,
        stretch: null,
      };
      this.#items.push(item);
    }
    return item;
  }

  /** What waits beyond the item's limit goes. */
  #trim(item: Item): void {
    let surplus = this.#ledger.sentSamples(item.id) + item.waitingSamples - item.limitSamples;
    while (surplus > 0 && item.waiting.length > 0) {
      const last = popWaiting(item);
      if (last.length > surplus) item.waiting.push(last.subarray(0, last.length - surplus));
      item.waitingSamples -= Math.min(last.length, surplus);
      surplus -= last.length;
    }
  }

  /** Sends what may leave now: all of it, or frames up to the lead. Items leave one after another. */
  #send(): void {
    if (!this.#open) return;
    while (this.#items.length > 0) {
      const item = this.#items[0];
      const { leadMs } = this.#speaker;
      if (leadMs === undefined) this.#sendAll(item);
      else if (this.#held || !this.#sendPaced(item, leadMs)) return;
      if (!item.finished || item.waitingSamples > 0) return;
      this.#items.shift();
      this.#speaker.end(item.id);
      this.#options.emit({ type: 'sent', itemId: item.id });
      this.#watch(item.id);
    }
  }

  #sendAll(item: Item): void {
    while (item.waiting.length > 0) this.#leave(item, item.waiting[0].length - item.leftOfFirst);
  }

  /** False when the lead is used up: the timer goes on. */
  #sendPaced(item: Item, leadMs: number): boolean {
    while (item.waitingSamples >= this.#frameSamples || (item.finished && item.waitingSamples > 0)) {
      const overMs = this.#ledger.aheadMs() + FRAME_MS - Math.max(FRAME_MS, leadMs);
      if (overMs > 1e-6) {
        this.#pace ??= this.#options.clock.setTimer(overMs, () => {
          this.#pace = null;
          this.#send();
        });
        return false;
      }
      this.#leave(item, Math.min(this.#frameSamples, item.waitingSamples));
    }
    return true;
  }

  #leave(item: Item, count: number): void {
    const samples = this.#shape(takeSamples(item, count));
    item.waitingSamples -= count;
    const playsAtMs = this.#ledger.sent(item.id, count);
    this.#speaker.write(item.id, samples);
    this.#options.emit({ type: 'audio', itemId: item.id, samples, playsAtMs });
  }

  #shape(samples: Float32Array): Float32Array {
    const { duck, leadMs } = this.#speaker;
    if (duck || leadMs === undefined || (this.#gain === 1 && this.#appliedGain === 1)) return samples;
    const ramp = Math.min(samples.length, RAMP_MS * this.#samplesPerMs);
    const from = this.#appliedGain;
    const shaped = samples.map(
      (value, i) => value * (i < ramp ? from + ((this.#gain - from) * i) / ramp : this.#gain),
    );
    this.#appliedGain = this.#gain;
    return shaped;
  }

  /** Waits until the far end has played the item. */
  #watch(itemId: string, waitedMs = 0): void {
    const missing = this.#ledger.sentSamples(itemId) - this.#ledger.heardSamples(itemId);
    if (missing <= 0 || waitedMs > this.#options.reportGraceMs) {
      this.#heard(itemId);
      return;
    }
    const isLost = this.#isLineLost;
    const waitMs = isLost ? FRAME_MS : missing / this.#samplesPerMs;
    const overdueMs = isLost || this.#ledger.aheadMs() > 0 ? 0 : waitedMs + waitMs;
    this.#watches.set(
      itemId,
      this.#options.clock.setTimer(waitMs, () => this.#watch(itemId, overdueMs)),
    );
  }

  #heard(itemId: string): void {
    this.#watches.get(itemId)?.cancel();
    this.#watches.delete(itemId);
    this.#options.emit({ type: 'heard', itemId });
  }

  #cancelTimers(): void {
    this.#pace?.cancel();
    this.#pace = null;
    for (const timer of this.#watches.values()) timer.cancel();
    this.#watches.clear();
  }
}

function wait(item: Item, samples: Float32Array): void {
  if (samples.length === 0) return;
  item.waiting.push(samples);
  item.waitingSamples += samples.length;
}

function popWaiting(item: Item): Float32Array {
  const last = item.waiting.pop()!;
  if (item.waiting.length > 0 || item.leftOfFirst === 0) return last;
  const rest = last.subarray(item.leftOfFirst);
  item.leftOfFirst = 0;
  return rest;
}

/** The first `count` of what waits; where they lie in one piece, a look at it. */
function takeSamples(item: Item, count: number): Float32Array {
  const from = item.leftOfFirst;
  const [first] = item.waiting;
  if (first.length - from < count) return joinSamples(item, count);
  const isLast = first.length - from === count;
  item.leftOfFirst = isLast ? 0 : from + count;
  if (isLast) item.waiting.shift();
  return first.length === count ? first : first.subarray(from, from + count);
}

function joinSamples(item: Item, count: number): Float32Array {
  const taken = new Float32Array(count);
  let filled = 0;
  while (filled < count) {
    const part = takeSamples(item, Math.min(item.waiting[0].length - item.leftOfFirst, count - filled));
    taken.set(part, filled);
    filled += part.length;
  }
  return taken;
}
