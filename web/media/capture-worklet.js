import { SAMPLE_RATE_HZ } from './pcm16.js';
import { Resampler } from './resampler.js';

const FRAME_SAMPLES = SAMPLE_RATE_HZ / 50;

/** The microphone as 20 ms frames: posts `{ pcm: Int16Array, level }`, level being the RMS in [0, 1]. */
class Capture extends AudioWorkletProcessor {
  resampler = new Resampler(sampleRate, SAMPLE_RATE_HZ);
  frame = new Int16Array(FRAME_SAMPLES);
  filled = 0;
  energy = 0;

  process([channels]) {
    if (channels.length > 0) for (const sample of this.resampler.push(mono(channels))) this.take(sample);
    return true;
  }

  take(sample) {
    const clipped = Math.max(-1, Math.min(1, sample));
    this.energy += clipped * clipped;
    this.frame[this.filled++] = Math.round(clipped * 32_767);
    if (this.filled < FRAME_SAMPLES) return;
    const level = Math.sqrt(this.energy / FRAME_SAMPLES);
    this.port.postMessage({ pcm: this.frame, level }, [this.frame.buffer]);
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.energy = 0;
  }
}

function mono(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}

registerProcessor('capture', Capture);
