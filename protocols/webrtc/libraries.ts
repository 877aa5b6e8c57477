/** WebRTC needs two libraries that are optional: `werift` for the transport, `libopus-wasm` for the sound. */
import { RuntimeError } from '../../kernels/errors.ts';

export const loadWerift = () => load('werift', () => import('werift'));
export const loadLibopus = () => load('libopus-wasm', () => import('libopus-wasm'));

export async function hasWebRtc(): Promise<boolean> {
  return await Promise.all([loadWerift(), loadLibopus()]).then(
    () => true,
    () => false,
  );
}

async function load<T>(name: string, from: () => Promise<T>): Promise<T> {
  try {
    return await from();
  } catch (error) {
    throw new RuntimeError(
      'webrtc.missing',
      'A library that WebRTC needs cannot be loaded.',
      { package: name, why: (error as Error).message.split('\n')[0] },
      'Run npm install without --omit=optional, or start with --webrtc off.',
    );
  }
}
