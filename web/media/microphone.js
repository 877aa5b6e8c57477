import { Problem } from '../talk/problem.js';

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
    this.enabled = true;
    this.deviceId = '';
    /** Raised by each start and stop, so that a device that opens too late is closed again. */
    this.generation = 0;
  }

  get track() {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  get running() {
    return this.stream !== null;
  }

  /** Opens the chosen device in place of the one in use. @throws {Problem} */
  async start() {
    await this.stop();
    const generation = ++this.generation;
    const stream = await openMicrophone(this.deviceId);
    if (generation !== this.generation) return stopTracks(stream);
    this.stream = stream;
    this.setEnabled(this.enabled);
    stream.getAudioTracks()[0].addEventListener('ended', () => {
      if (this.stream === stream) this.events.onLost();
    });
    // Its own context at the device's rate: not every browser converts a stream to another context's rate.
    const context = new AudioContext({ latencyHint: 'interactive' });
    this.context = context;
    await context.audioWorklet.addModule(new URL('capture-worklet.js', import.meta.url));
    if (generation !== this.generation) return;
    const capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => {
      if (this.context === context) this.events.onFrame(data.pcm, data.level);
    };
    context.createMediaStreamSource(stream).connect(capture);
    await context.resume();
  }

  /** @param {string} deviceId empty: the system's own choice @throws {Problem} */
  async choose(deviceId) {
    this.deviceId = deviceId;
    if (this.running) await this.start();
  }

  /** Disabled, the device delivers silence: the conversation's clock goes on. */
  setEnabled(enabled) {
    this.enabled = enabled;
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = enabled;
  }

  async stop() {
    this.generation += 1;
    const { context, stream } = this;
    this.context = null;
    this.stream = null;
    if (stream) stopTracks(stream);
    await context?.close();
  }
}

async function openMicrophone(deviceId) {
  if (!navigator.mediaDevices) throw insecurePage();
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    // A device that is gone since it was chosen must not keep anybody from talking: ideal, not exact.
    return await navigator.mediaDevices.getUserMedia({
      audio: deviceId ? { ...audio, deviceId: { ideal: deviceId } } : audio,
    });
  } catch (error) {
    throw microphoneProblem(error);
  }
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

export function insecurePage() {
  return inWriting(
    'This page may not use the microphone.',
    'Browsers allow it on https:// and on localhost only. Open the page as http://localhost, or put it behind HTTPS.',
  );
}

function microphoneProblem(error) {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') {
    return inWriting(
      'The microphone is blocked.',
      'Allow it for this page in the address bar or in the site settings, then press Start again.',
    );
  }
  if (name === 'NotFoundError' || name === 'OverconstrainedError') {
    return inWriting(
      'No microphone was found.',
      'Plug one in, or choose one in the system settings, then press Start again.',
    );
  }
  return inWriting(
    'The microphone cannot be used.',
    `Another program may be holding it: close that one and press Start again. (${error?.message ?? error})`,
  );
}

/** Whoever cannot be heard can still write. */
function inWriting(message, remedy) {
  const problem = new Problem(message, remedy, 'microphone');
  problem.canType = true;
  return problem;
}
