import { playThrough } from './devices.js';
import { SAMPLE_RATE_HZ } from './pcm16.js';

/** Plays a kept sound again, one at a time; also after the conversation. */
export class Replayer {
  /** @param {(turnId: string | null) => void} onChange what plays now */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {string | null} */
    this.playing = null;
    this.deviceId = '';
  }

  /** @param {string} turnId @param {Int16Array} samples at 24 kHz */
  async play(turnId, samples) {
    this.stop();
    if (samples.length === 0) return;
    const context = new AudioContext();
    this.context = context;
    this.playing = turnId;
    this.onChange(turnId);
    await playThrough(context, this.deviceId);
    if (this.context !== context) return;
    const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE_HZ);
    buffer.copyToChannel(
      Float32Array.from(samples, sample => sample / 32_768),
      0,
    );
    const source = new AudioBufferSourceNode(context, { buffer });
    source.onended = () => {
      if (this.context === context) this.stop();
    };
    source.connect(context.destination);
    source.start();
  }

  stop() {
    const { context } = this;
    if (!context) return;
    this.context = null;
    this.playing = null;
    context.close();
    this.onChange(null);
  }
}
