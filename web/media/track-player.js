import { playThrough } from './devices.js';

/**
 * The agent's voice from a track: the browser plays it, and this tells frame by frame what sounds.
 *
 * @typedef {(pcm: Int16Array, level: number) => void} OnFrame 20 ms at 24 kHz; the level is the RMS in [0, 1]
 */
export class TrackPlayer {
  /** @param {OnFrame} onFrame */
  constructor(onFrame) {
    this.onFrame = onFrame;
    this.deviceId = '';
    /** @type {AudioContext | null} */
    this.context = null;
    /** The browser decodes a remote track for an element only. @type {HTMLAudioElement | null} */
    this.element = null;
  }

  /** @param {MediaStream} stream */
  async start(stream) {
    await this.stop();
    const context = new AudioContext({ latencyHint: 'interactive' });
    this.context = context;
    this.element = new Audio();
    this.element.muted = true;
    this.element.srcObject = stream;
    void this.element.play().catch(() => {});
    await playThrough(context, this.deviceId);
    await context.audioWorklet.addModule(new URL('capture-worklet.js', import.meta.url));
    if (this.context !== context) return;
    const capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => {
      if (this.context === context) this.onFrame(data.pcm, data.level);
    };
    const source = context.createMediaStreamSource(stream);
    source.connect(capture);
    source.connect(context.destination);
    await context.resume();
  }

  /** @param {string} deviceId empty: the system's own choice */
  async choose(deviceId) {
    this.deviceId = deviceId;
    if (this.context) await playThrough(this.context, deviceId);
  }

  async stop() {
    const { context, element } = this;
    this.context = null;
    this.element = null;
    if (element) element.srcObject = null;
    await context?.close();
  }
}
