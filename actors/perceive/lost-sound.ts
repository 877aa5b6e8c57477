/**
 * Digital silence: what a muted microphone sends, and what a transport puts where a packet was lost. It is no sound of
 * the room, so nothing may be learnt from it. A packet rarely ends where a frame does, and µ-law and A-law have their
 * own zero; so what counts is a stretch of next to nothing that does not move, not a whole frame of zeros.
 */

/** A stretch of a tenth of the frame, 2 ms of 20: the rest of such a frame says nothing about the room either. */
const SHARE = 0.1;
/** The step next to zero of A-law is 8 of 32768; */
const NEXT_TO_NOTHING = 4e-4;
/** and a resampler leaves less than this of a constant's own ripple. */
const UNMOVED = 4e-6;

/** Whether the frame, samples in [−1, 1], holds such a stretch. */
export function holdsLostSound(samples: Float32Array): boolean {
  const longEnough = Math.max(2, Math.round(samples.length * SHARE));
  let length = 0;
  let before = Number.POSITIVE_INFINITY;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i];
    const isStill =
      Math.abs(value) <= NEXT_TO_NOTHING && (length === 0 || Math.abs(value - before) <= UNMOVED);
    length = isStill ? length + 1 : Math.abs(value) <= NEXT_TO_NOTHING ? 1 : 0;
    if (length >= longEnough) return true;
    before = value;
  }
  return false;
}
