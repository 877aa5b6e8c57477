import { type Browser, chromium } from 'playwright-core';
import { describe, inject } from 'vitest';

/**
 * What needs a browser; left out, and said so by `set-up.ts`, where none is to be had. A second try each: a browser
 * plays and records in real time, which a machine that is busy enough cannot. Vitest shows which needed it.
 */
export const describeInBrowser = (name: string, tests: () => void): void =>
  void describe.skipIf(inject('browser') === null)(name, { retry: 1 }, tests);

/**
 * A headless Chromium whose microphone plays a WAV file over and over, and whose camera shows a test picture or a Y4M
 * file.
 */
export async function launchChromium(microphoneWav: string, cameraY4m?: string): Promise<Browser> {
  const { path, libraries } = inject('browser')!;
  return chromium.launch({
    executablePath: path,
    env: libraries ? { ...process.env, LD_LIBRARY_PATH: libraries } : process.env,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--mute-audio',
      '--autoplay-policy=no-user-gesture-required',
      '--use-fake-ui-for-media-stream',
      '--auto-accept-this-tab-capture',
      '--use-fake-device-for-media-stream',
      '--allow-loopback-in-peer-connection',
      `--use-file-for-fake-audio-capture=${microphoneWav}`,
      ...(cameraY4m ? [`--use-file-for-fake-video-capture=${cameraY4m}`] : []),
    ],
  });
}
