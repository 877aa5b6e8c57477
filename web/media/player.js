import { playThrough } from './devices.js';
import { SAMPLE_RATE_HZ } from './pcm16.js';

/**
 * The loudspeaker: a queue in an audio worklet that knows, sample by sample, what has been heard.
 *
 * @typedef {object} PlayerEvents
 * @property {(itemId: string, samples: number) => void} onHeard samples at 24 kHz so far
 * @property {(level: number, gaps: number) => void} onLevel peak in [0, 1] about 20 times a second; how often sound ran
 * dry
 */
export class Player {
  /** @param {PlayerEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {AudioWorkletNode | null} */
    this.node = null;
    this.deviceId = '';
  }

  /** Must follow a click: browsers keep pages silent until then. */
  async start() {
    const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: 'interactive' });
    this.context = context;
    await playThrough(context, this.deviceId);
    await context.audioWorklet.addModule(new URL('playout-worklet.js', import.meta.url));
    if (this.context !== context) return;
    this.node = new AudioWorkletNode(context, 'play-out', { numberOfInputs: 0, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }) => {
      if (this.context !== context) return;
      if (data.itemId === undefined) this.events.onLevel(data.level, data.gaps);
      else this.events.onHeard(data.itemId, data.samples);
    };
    this.node.connect(context.destination);
    await context.resume();
  }

  /** @param {string} deviceId empty: the system's own choice */
  async choose(deviceId) {
    this.deviceId = deviceId;
    if (this.context) await playThrough(this.context, deviceId);
  }

  /** @param {string} itemId @param {Float32Array} samples given away */
  add(itemId, samples) {
    // The output latency can change while playing (a headset is plugged in), so it is told anew now and then.
    this.post({ latencyMs: 1000 * (this.context?.outputLatency || this.context?.baseLatency || 0) });
    this.post({ add: itemId, samples }, [samples.buffer]);
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
