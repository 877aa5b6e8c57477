/** Of a voice that travels by itself: its samples, and what is known of them. */
import type { AudioCommand } from '../../actors/session-api.ts';

export type TrackSound = Pick<AudioCommand, 'samples' | 'lost' | 'isVoiceless' | 'waitedMs' | 'lateMs'>;
