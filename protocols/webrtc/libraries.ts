/** WebRTC needs two libraries that are optional: `werift` for the transport, `libopus-wasm` for the sound. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import { RuntimeError } from '../../kernels/errors.ts';

export const loadWerift = () => load('werift', () => import('werift'));
export const loadLibopus = () => load('libopus-wasm', () => import('libopus-wasm'));

/** Found without being loaded: that takes 15 MB, which are for whoever calls. */
export const hasWebRtc = (): boolean => isInstalled('werift') && isInstalled('libopus-wasm');

/** Error `webrtc.missing`. */
export function checkInstalled(): void {
  for (const name of ['werift', 'libopus-wasm'])
    if (!isInstalled(name)) throw missing(name, 'It is not installed.');
}

function isInstalled(name: string): boolean {
  const places = createRequire(join(PACKAGE_ROOT, 'package.json')).resolve.paths(name) ?? [];
  return places.some(place => existsSync(join(place, name, 'package.json')));
}

async function load<T>(name: string, from: () => Promise<T>): Promise<T> {
  try {
    return await from();
  } catch (error) {
    throw missing(name, (error as Error).message.split('\n')[0]);
  }
}

const missing = (name: string, why: string) =>
  new RuntimeError(
    'webrtc.missing',
    'A library that WebRTC needs cannot be loaded.',
    { package: name, why },
    'Run npm install without --omit=optional, or start with --webrtc off.',
  );
