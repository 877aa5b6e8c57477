import { fftTables } from '../fft/reference.ts';
import type { NativeAddon } from '../native/addon.ts';
import { MEASURES, type PrepareVoiceFrame } from './index.ts';
import { PITCH_SAMPLES, planVoiceFrame, widthsOf } from './plan.ts';

export const nativeVoiceFrame =
  (addon: NativeAddon): PrepareVoiceFrame =>
  sampleRate => {
    const plan = planVoiceFrame(sampleRate);
    const { edges, factor, frame, lowestBin, lowestToneBin, size, window } = plan;
    const { order, cosine, sine } = fftTables(size);
    const numbers = Int32Array.of(frame, factor, lowestBin, lowestToneBin);
    const handle = addon.prepareVoiceFrame!(size, order, cosine, sine, window, edges, numbers);
    const history = new Float64Array(size);
    const pitch = new Float64Array(PITCH_SAMPLES);
    const measures = new Float64Array(MEASURES);
    return {
      widths: widthsOf(plan),
      measure(samples) {
        addon.voiceFrame!(handle, samples, history, pitch, measures);
        return measures;
      },
    };
  };
