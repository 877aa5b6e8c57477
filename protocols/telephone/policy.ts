import type { SessionSettings } from '../../actors/session-api.ts';
import type { LineFormat } from '../media/index.ts';

/**
 * The settings of a session on the telephone. A line of 8 kHz is a telephone's from the first word on, so its policy
 * holds at once where the operator left the line to decide; a wider one is left to what is heard of it.
 */
export function phoneSettings(
  defaults: Partial<SessionSettings>,
  { rateHz }: LineFormat,
): Partial<SessionSettings> {
  const { turnDetection } = defaults;
  if (rateHz > 8000 || turnDetection?.mode !== 'vad' || !turnDetection.telephone) return defaults;
  return { ...defaults, turnDetection: { ...turnDetection, ...turnDetection.telephone, telephone: null } };
}
