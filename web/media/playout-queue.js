/**
 * What the play-out worklet does, without the worklet: a queue of samples per item, an exact account of what has been
 * heard of each, an immediate flush and a gain without clicks.
 */

/** A gain step or a cut is spread over 5 ms. */
const RAMP_MS = 5;
/** After the queue ran dry inside an item, this much must be there before it goes on: one gap instead of many. */
const REFILL_MS = 120;
/** Items whose account is kept; one reply plays at a time. */
const MAX_ITEMS = 16;

export class PlayOutQueue {
  /** @param {number} rateHz */
  constructor(rateHz) {
    this.rampSamples = (RAMP_MS * rateHz) / 1000;
    this.refillSamples = (REFILL_MS * rateHz) / 1000;
    /** @type {{ itemId: string | null, samples: Float32Array, at: number }[]} a null item is the fading end of a cut */
    this.parts = [];
    this.finished = new Set();
    this.starved = false;
    /** The item in which it did. @type {string | null} */
    this.driedUp = null;
    /** How often sound ran dry inside an item. */
    this.gaps = 0;
    this.gain = 1;
    this.target = 1;
    /** Rendered and still on the way to the loudspeaker. @type {{ itemId: string, frame: number, count: number }[]} */
    this.travelling = [];
    /** @type {Map<string, number>} samples heard per item */
    this.heard = new Map();
  }

  add(itemId, samples) {
    if (samples.length > 0) this.parts.push({ itemId, samples, at: 0 });
  }

  /** No more samples of this item will come. */
  finish(itemId) {
    this.finished.add(itemId);
    // Told only now that it ran dry at its end: nothing was missing.
    if (this.starved && this.parts.length === 0 && this.driedUp === itemId) {
      this.starved = false;
      this.gaps -= 1;
    }
    forgetOldest(this.finished);
    forgetOldest(this.heard);
  }

  setGain(gain) {
    this.target = gain;
  }

  /** Drops what is queued of one item, or of all; sound that plays fades over 5 ms. @param {string | null} itemId */
  clear(itemId = null) {
    const head = this.parts[0];
    const dropped = part => itemId === null || part.itemId === itemId;
    const tail = head && dropped(head) && head.at > 0 ? this.fadingTail(head) : null;
    this.parts = this.parts.filter(part => !dropped(part));
    if (tail) this.parts.unshift({ itemId: null, samples: tail, at: 0 });
    this.starved = false;
  }

  fadingTail({ samples, at }) {
    const tail = samples.slice(at, at + this.rampSamples);
    return tail.map((value, i) => value * (1 - (i + 1) / tail.length));
  }

  /** @returns {boolean} whether sound is queued */
  get playing() {
    return this.parts.length > 0;
  }

  /** Fills `output`, whose first sample is number `frame` of the audio clock. */
  render(output, frame) {
    let filled = 0;
    if (this.mayPlay()) {
      while (filled < output.length && this.parts.length > 0)
        filled += this.renderPart(output, filled, frame);
    }
    output.fill(0, filled);
    this.applyGain(output);
  }

  mayPlay() {
    if (!this.starved) return true;
    const waiting = this.parts.reduce((sum, { samples, at }) => sum + samples.length - at, 0);
    const complete = this.parts.length > 0 && this.finished.has(this.parts.at(-1)?.itemId);
    this.starved = waiting < this.refillSamples && !complete;
    return !this.starved;
  }

  renderPart(output, filled, frame) {
    const part = this.parts[0];
    const count = Math.min(output.length - filled, part.samples.length - part.at);
    output.set(part.samples.subarray(part.at, part.at + count), filled);
    part.at += count;
    if (part.itemId !== null) this.travelling.push({ itemId: part.itemId, frame: frame + filled, count });
    if (part.at === part.samples.length) {
      this.parts.shift();
      this.starved = this.parts.length === 0 && part.itemId !== null && !this.finished.has(part.itemId);
      if (this.starved) {
        this.gaps += 1;
        this.driedUp = part.itemId;
      }
    }
    return count;
  }

  applyGain(output) {
    const step = 1 / this.rampSamples;
    for (let i = 0; i < output.length; i++) {
      if (this.gain < this.target) this.gain = Math.min(this.target, this.gain + step);
      else if (this.gain > this.target) this.gain = Math.max(this.target, this.gain - step);
      output[i] *= this.gain;
    }
  }

  /**
   * Counts what has left the loudspeaker before sample number `frame`. @returns {Set<string>} items whose count moved
   */
  settle(frame) {
    const moved = new Set();
    while (this.travelling.length > 0 && this.travelling[0].frame < frame) {
      const span = this.travelling[0];
      const count = Math.min(span.count, Math.floor(frame) - span.frame);
      this.heard.set(span.itemId, (this.heard.get(span.itemId) ?? 0) + count);
      moved.add(span.itemId);
      if (count === span.count) this.travelling.shift();
      else this.travelling[0] = { ...span, frame: span.frame + count, count: span.count - count };
      if (count < span.count) break;
    }
    return moved;
  }
}

/** @param {Set<string> | Map<string, number>} items in the order they came */
function forgetOldest(items) {
  for (const itemId of items.keys()) if (items.size > MAX_ITEMS) items.delete(itemId);
}
