/**
 * Sound that a client has played in the agent's place: 16 bits, 24 kHz, at most 30 s, checked as a whole before
 * anything stops.
 */
import { refusal } from '../json/index.ts';
import { CODECS } from '../media/index.ts';
import { MAX_FIXTURE_BYTES } from './client-events.ts';
import { decodeBase64 } from './appended-audio.ts';

export function decodeFixture(base64: string): Float32Array {
  const bytes = decodeBase64(base64);
  if (bytes.length === 0) throw refusal('invalid_audio', 'The fixture is empty.', 'audio');
  if (bytes.length % CODECS.pcm16.bytesPerSample !== 0) {
    throw refusal('invalid_audio', `${bytes.length} bytes are not whole 16-bit samples.`, 'audio');
  }
  if (bytes.length > MAX_FIXTURE_BYTES) {
    const message = `${bytes.length} bytes are more than 30 s of 16-bit sound at 24 kHz.`;
    throw refusal('string_above_max_length', message, 'audio');
  }
  return CODECS.pcm16.decode(bytes);
}
