import { createResampler } from '../../kernels/resample/reference.ts';
import type { MonoSound } from './wav-format.ts';

/** A whole recording at another rate. */
export function resampled({ samples, sampleRate }: MonoSound, toRateHz: number): Float32Array {
  if (sampleRate === toRateHz) return samples;
  const resampler = createResampler(sampleRate, toRateHz);
  const [body, tail] = [resampler.push(samples), resampler.finish()];
  const whole = new Float32Array(body.length + tail.length);
  whole.set(body);
  whole.set(tail, body.length);
  return whole;
}
