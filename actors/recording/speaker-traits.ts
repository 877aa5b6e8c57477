/**
 * A transport's speaker in a recording: what of it a session can see. What it plays is among the commands (`played`),
 * so a replay needs no sound and no transport.
 */
import { EMPTY } from 'rxjs';
import { z } from 'zod';
import type { Speaker } from '../play-out/speaker.ts';

export const speakerTraits = z.object({
  latencyMs: z.number(),
  leadMs: z.number().optional(),
  ducks: z.boolean(),
  pauses: z.boolean(),
});
export type SpeakerTraits = z.infer<typeof speakerTraits>;

export function traitsOf({ latencyMs, leadMs, duck, pause }: Speaker): SpeakerTraits {
  return { latencyMs, ...(leadMs !== undefined && { leadMs }), ducks: !!duck, pauses: !!pause };
}

/** Treats its session as the one of these traits did; plays nothing. */
export function silentSpeaker({ ducks, pauses, ...rest }: SpeakerTraits): Speaker {
  const nothing = () => {};
  return {
    ...{ ...rest, write: nothing, end: nothing, flush: nothing, played$: EMPTY },
    ...(ducks && { duck: nothing }),
    ...(pauses && { pause: nothing, resume: nothing }),
  };
}

/** The same speaker; what it plays is told to the session by somebody else. */
export function withoutReports(speaker: Speaker): Speaker {
  const { latencyMs, leadMs, duck, pause, resume } = speaker;
  return {
    latencyMs,
    ...(leadMs !== undefined && { leadMs }),
    write: (itemId, samples) => speaker.write(itemId, samples),
    end: itemId => speaker.end(itemId),
    ...(duck && { duck: (gainDb: number) => duck.call(speaker, gainDb) }),
    ...(pause && { pause: () => pause.call(speaker) }),
    ...(resume && { resume: () => resume.call(speaker) }),
    flush: () => speaker.flush(),
    played$: EMPTY,
  };
}
