/** The utterances of a recorded call, without the pauses between its turns: that is how the time is compressed. */
import { resampled } from '../../cli/media/resampled.ts';
import { readWav } from '../../cli/media/wav.ts';

/** What the Realtime protocol takes. */
export const RATE = 24_000;
const FRAME = RATE / 50;
const LOUD = 0.01;
/** A silence as long ends a turn; shorter ones are pauses in it. */
const TURN_GAP_FRAMES = 40;
const MARGIN_FRAMES = 8;

export function utterancesOf(path: string): Float32Array[] {
  const samples = resampled(readWav(path), RATE);
  const frames = Math.floor(samples.length / FRAME);
  const isLoud = (frame: number) =>
    samples.subarray(frame * FRAME, (frame + 1) * FRAME).some(value => Math.abs(value) > LOUD);
  const turns: { from: number; to: number }[] = [];
  for (let frame = 0; frame < frames; frame++) {
    if (!isLoud(frame)) continue;
    const last = turns.at(-1);
    if (last && frame - last.to <= TURN_GAP_FRAMES) last.to = frame;
    else turns.push({ from: frame, to: frame });
  }
  return turns.map(({ from, to }) =>
    samples.slice(Math.max(0, from - MARGIN_FRAMES) * FRAME, (to + 1) * FRAME),
  );
}
