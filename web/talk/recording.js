import { SAMPLE_RATE_HZ } from '../media/pcm16.js';

/** What is kept of both sides; older sound goes. */
const KEEP_MS = 10 * 60_000;
const KEEP_SAMPLES = (KEEP_MS * SAMPLE_RATE_HZ) / 1000;
/** Reports of what was heard come every 50 ms; a later beginning than that means the sound ran dry. */
const GAP_MS = 150;

/**
 * The sound of both sides, so that a turn can be played again and the conversation kept as a file.
 *
 * @typedef {{ atMs: number, sentAt: number, pcm: Int16Array }} Frame `sentAt` counts samples of its session
 * @typedef {{ chunks: Int16Array[], samples: number, heard: number, lastMs: number }} Item
 * @typedef {{ itemId: string, atMs: number, from: number, to: number }} Heard a stretch of an item and when it began to
 * sound
 */
export class Recording {
  /** @param {(id: string) => void} onForgotten a turn's sound is gone */
  constructor(onForgotten = () => {}) {
    this.onForgotten = onForgotten;
    /** @type {Frame[]} */
    this.frames = [];
    /** The frames of each turn of the person. @type {Map<string, { frames: Frame[], from: number, to: number }>} */
    this.turns = new Map();
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** @type {Heard[]} */
    this.heard = [];
    this.sentAt = 0;
    this.itemSamples = 0;
  }

  /** A new session counts from zero. */
  newSession() {
    this.sentAt = 0;
  }

  /** @param {Int16Array} pcm a frame that was sent; kept @param {number} atMs */
  sent(pcm, atMs) {
    this.frames.push({ atMs, sentAt: this.sentAt, pcm });
    this.sentAt += pcm.length;
    this.forgetOld(atMs);
  }

  /** A turn of the person is over, from and to counted in milliseconds of the sound that was sent. */
  userTurn(id, fromMs, toMs) {
    const [from, to] = [fromMs, toMs].map(ms => Math.round((ms * SAMPLE_RATE_HZ) / 1000));
    const first = this.frames.findLastIndex(({ sentAt }) => sentAt <= from);
    const frames = this.frames.slice(Math.max(0, first)).filter(({ sentAt }) => sentAt < to);
    if (frames.length > 0) this.turns.set(id, { frames, from, to });
  }

  /** @param {Float32Array} samples of an answer */
  received(itemId, samples, atMs) {
    /** @type {Item} */
    const item = this.items.get(itemId) ?? { chunks: [], samples: 0, heard: 0, lastMs: atMs };
    this.items.set(itemId, item);
    item.chunks.push(Int16Array.from(samples, value => Math.max(-1, Math.min(1, value)) * 32_767));
    item.samples += samples.length;
    this.itemSamples += samples.length;
    while (this.itemSamples > KEEP_SAMPLES && this.items.size > 1)
      this.forgetItem(this.items.keys().next().value);
  }

  /** @param {number} samples of the item that have been heard by `atMs` */
  heardUntil(itemId, samples, atMs) {
    const item = this.items.get(itemId);
    if (!item || samples <= item.heard) return;
    const last = this.heard.at(-1);
    const endMs = last ? last.atMs + milliseconds(last.to - last.from) : 0;
    const beganMs = atMs - milliseconds(samples - item.heard);
    if (last && last.itemId === itemId && beganMs < endMs + GAP_MS) last.to = samples;
    else this.heard.push({ itemId, atMs: Math.max(beganMs, endMs), from: item.heard, to: samples });
    item.heard = samples;
    item.lastMs = atMs;
    this.forgetOld(atMs);
  }

  /** All sound of an answer, whether heard or not. @returns {Int16Array} */
  wholeItem(itemId) {
    return joined(this.items.get(itemId)?.chunks ?? []);
  }

  /** A turn as it was sent or heard; null where nothing of it is kept. @returns {Int16Array | null} */
  soundOf(id) {
    const turn = this.turns.get(id);
    if (turn) {
      const start = turn.frames[0].sentAt;
      return joined(turn.frames.map(({ pcm }) => pcm)).slice(Math.max(0, turn.from - start), turn.to - start);
    }
    const item = this.items.get(id);
    return item && item.heard > 0 ? this.wholeItem(id).slice(0, item.heard) : null;
  }

  /** Both sides in time: the person left, the agent right. @returns {[Int16Array, Int16Array]} */
  stereo() {
    const starts = [...this.frames, ...this.heard].map(({ atMs }) => atMs);
    if (starts.length === 0) return [new Int16Array(0), new Int16Array(0)];
    const startMs = starts.reduce((least, ms) => Math.min(least, ms));
    const at = atMs => Math.max(0, Math.round(((atMs - startMs) * SAMPLE_RATE_HZ) / 1000));
    // Frames follow one another; only where sending paused does the clock say where to go on.
    let next = 0;
    const user = this.frames.map(({ atMs, pcm }) => {
      const place = Math.abs(at(atMs) - next) > (GAP_MS * SAMPLE_RATE_HZ) / 1000 ? at(atMs) : next;
      next = place + pcm.length;
      return { place, pcm };
    });
    const agent = this.heard.map(({ itemId, atMs, from, to }) => ({
      place: at(atMs),
      pcm: this.wholeItem(itemId).subarray(from, to),
    }));
    const length = [...user, ...agent].reduce((end, { place, pcm }) => Math.max(end, place + pcm.length), 0);
    return [laid(user, length), laid(agent, length)];
  }

  /** A tenth at a time, so that it costs next to nothing. */
  forgetOld(nowMs) {
    const oldestMs = Math.min(this.frames[0]?.atMs ?? nowMs, this.heard[0]?.atMs ?? nowMs);
    if (oldestMs < nowMs - 1.1 * KEEP_MS) this.forget(nowMs - KEEP_MS);
  }

  forget(beforeMs) {
    this.frames = this.frames.filter(({ atMs }) => atMs >= beforeMs);
    for (const [id, { frames }] of this.turns) {
      if (frames[0].atMs >= beforeMs) continue;
      this.turns.delete(id);
      this.onForgotten(id);
    }
    for (const [id, { lastMs }] of this.items) if (lastMs < beforeMs) this.forgetItem(id);
    this.heard = this.heard.filter(({ atMs }) => atMs >= beforeMs);
  }

  forgetItem(itemId) {
    this.itemSamples -= this.items.get(itemId)?.samples ?? 0;
    this.items.delete(itemId);
    this.onForgotten(itemId);
    this.heard = this.heard.filter(stretch => stretch.itemId !== itemId);
  }
}

const milliseconds = samples => (samples * 1000) / SAMPLE_RATE_HZ;

function joined(chunks) {
  const all = new Int16Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function laid(pieces, length) {
  const track = new Int16Array(length);
  for (const { place, pcm } of pieces) track.set(pcm, place);
  return track;
}
