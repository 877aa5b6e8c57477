/** Entries that are kept; the oldest go. */
const MAX_ENTRIES = 500;
const MAX_TEXT = 300;
/** What comes many times a second is counted in one line. */
const MEDIA = new Set([
  'input_audio_buffer.append',
  'session.input_audio.append',
  'response.output_audio.delta',
  'session.output_audio.delta',
  'longcat.playback.report',
  'longcat.video.frame',
]);

/**
 * The protocol's events of both directions, without their sound and pictures.
 *
 * @typedef {object} Entry
 * @property {number} number counts from 1
 * @property {number} atMs of the first event in this line
 * @property {'sent' | 'received'} direction
 * @property {string} type
 * @property {number} count events in this line
 * @property {number} bytes of all of them on the wire
 * @property {unknown} event the newest of them
 */
export class EventLog {
  /** @param {(entry: Entry) => void} onChange a new entry too */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {Entry[]} */
    this.entries = [];
    this.numbered = 0;
  }

  /** @param {Entry['direction']} direction @param {any} event @param {number} bytes @param {number} atMs */
  add(direction, event, bytes, atMs) {
    const type = String(event?.type ?? '?');
    const shown = withoutMedia(event);
    const same = this.recent(direction, type);
    if (same) {
      Object.assign(same, { count: same.count + 1, bytes: same.bytes + bytes, event: shown });
      this.onChange(same);
      return;
    }
    this.numbered += 1;
    /** @type {Entry} */
    const entry = { number: this.numbered, atMs, direction, type, count: 1, bytes, event: shown };
    this.entries.push(entry);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
    this.onChange(entry);
  }

  /** A line that this can be counted in: nothing but media came after it. */
  recent(direction, type) {
    for (let i = this.entries.length - 1; i >= 0 && MEDIA.has(this.entries[i].type); i--)
      if (this.entries[i].type === type && this.entries[i].direction === direction) return this.entries[i];
    return null;
  }

  clear() {
    this.entries = [];
  }

  /** One JSON object a line. */
  text() {
    return this.entries.map(entry => `${JSON.stringify(entry)}\n`).join('');
  }
}

/** Long strings are sound, pictures, or of no use to read. */
function withoutMedia(value) {
  if (typeof value === 'string') return value.length > MAX_TEXT ? shortened(value) : value;
  if (Array.isArray(value)) return value.map(withoutMedia);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutMedia(part)]));
}

function shortened(text) {
  const looksEncoded = /^(data:|[A-Za-z0-9+/=]+$)/.test(text);
  return looksEncoded
    ? `‹${text.length} characters of base64›`
    : `${text.slice(0, MAX_TEXT)}… ‹${text.length} characters›`;
}
