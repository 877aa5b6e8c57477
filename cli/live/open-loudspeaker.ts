import { Loudspeaker } from './loudspeaker.ts';
import { namesOf, PLAYERS } from './recorders.ts';

/** @param wanted a device, false for none @param note says to the person that nothing will be heard, and why */
export function openLoudspeaker(
  sampleRate: number,
  wanted: string | boolean | undefined,
  note: (text: string) => void,
): Loudspeaker | null {
  if (wanted === false) return null;
  const onSilent = (complaint: string | null) => {
    const why = complaint ?? `install one of ${namesOf(PLAYERS)}`;
    note(`You will not hear the answers: no program plays them (${why}).`);
  };
  return new Loudspeaker(sampleRate, onSilent, typeof wanted === 'string' ? wanted : undefined);
}
