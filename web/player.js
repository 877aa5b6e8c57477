import { decodePcm16, SAMPLE_RATE_HZ } from './pcm16.js';

/**
 * The loudspeaker: a queue in an audio worklet that knows, sample by sample, what has been heard.
 *
 * @typedef {object} PlayerEvents
 * @property {(itemId: string, samples: number, over: boolean) => void} onHeard samples at 24 kHz so far
 * @property {(level: number) => void} onLevel peak in [0, 1], about 20 times a second
 */
export class Player {
  /** @param {PlayerEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {AudioWorkletNode | null} */
    this.node = null;
  }

  /** Must follow a click: browsers keep pages silent until then. */
  async start() {
    this.context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: 'interactive' });
    await this.context.audioWorklet.addModule(new URL('playout-worklet.js', import.meta.url));
    this.node = new AudioWorkletNode(this.context, 'play-out', {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.node.port.onmessage = ({ data }) => {
      if (data.itemId === undefined) this.events.onLevel(data.level);
      else this.events.onHeard(data.itemId, data.samples, data.over);
    };
    this.node.connect(this.context.destination);
    await this.context.resume();
  }

  /** @param {string} itemId @param {string} base64 @returns {number} samples */
  add(itemId, base64) {
    const samples = decodePcm16(base64);
    const count = samples.length;
    // The output latency can change while playing (a headset is plugged in), so it is told anew now and then.
    this.post({ latencyMs: 1000 * (this.context?.outputLatency || this.context?.baseLatency || 0) });
    this.post({ add: itemId, samples }, [samples.buffer]);
    return count;
  }

  /** No more sound of this item will come. */
  finish(itemId) {
    this.post({ finish: itemId });
  }

  /** Throws away what has not been played of one item, or of all. @param {string | null} itemId */
  clear(itemId = null) {
    this.post({ clear: itemId });
  }

  setGainDb(gainDb) {
    this.post({ gain: 10 ** (gainDb / 20) });
  }

  async stop() {
    const { context } = this;
    this.node?.disconnect();
    this.context = null;
    this.node = null;
    await context?.close();
  }

  post(message, transfer = []) {
    this.node?.port.postMessage(message, transfer);
  }
}
