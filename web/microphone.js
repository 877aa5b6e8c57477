import { Problem } from './problem.js';

/**
 * The microphone as 20 ms frames of 24 kHz PCM.
 *
 * @typedef {object} MicrophoneEvents
 * @property {(pcm: Int16Array, level: number) => void} onFrame level is the RMS in [0, 1]
 * @property {() => void} onLost the device was unplugged or taken away
 */
export class Microphone {
  /** @param {MicrophoneEvents} events */
  constructor(events) {
    this.events = events;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {AudioContext | null} */
    this.context = null;
  }

  /** @throws {Problem} */
  async start() {
    if (!navigator.mediaDevices) throw insecurePage();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      throw microphoneProblem(error);
    }
    const [track] = this.stream.getAudioTracks();
    track.addEventListener('ended', () => this.events.onLost());
    // Its own context at the device's rate: not every browser converts a stream to another context's rate.
    this.context = new AudioContext({ latencyHint: 'interactive' });
    await this.context.audioWorklet.addModule(new URL('capture-worklet.js', import.meta.url));
    const capture = new AudioWorkletNode(this.context, 'capture', { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => this.events.onFrame(data.pcm, data.level);
    this.context.createMediaStreamSource(this.stream).connect(capture);
    await this.context.resume();
  }

  /** Muted, the device delivers silence: the conversation's clock goes on. */
  setMuted(muted) {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  async stop() {
    const { context, stream } = this;
    this.context = null;
    this.stream = null;
    for (const track of stream?.getTracks() ?? []) track.stop();
    await context?.close();
  }
}

export function insecurePage() {
  return new Problem(
    'This page may not use the microphone.',
    'Browsers allow it on https:// and on localhost only. Open the page as http://localhost, or put it behind HTTPS.',
  );
}

function microphoneProblem(error) {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') {
    return new Problem(
      'The microphone is blocked.',
      'Allow it for this page in the address bar or in the site settings, then press Start again.',
    );
  }
  if (name === 'NotFoundError' || name === 'OverconstrainedError') {
    return new Problem(
      'No microphone was found.',
      'Plug one in, or choose one in the system settings, then press Start again.',
    );
  }
  return new Problem(
    'The microphone cannot be used.',
    `Another program may be holding it: close that one and press Start again. (${error?.message ?? error})`,
  );
}
