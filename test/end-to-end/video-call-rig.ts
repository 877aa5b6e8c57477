/**
 * A page of somebody else's with the stock clients (`video-call/page.js`), its microphone and camera of files, and
 * nano.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { configSchema } from '../../cli/config/schema.ts';
import { openHouse } from '../../cli/house.ts';
import { readWav, writeWav } from '../../cli/media/wav.ts';
import { type RunningServer, startServer } from '../../protocols/index.ts';
import { writeCamera } from '../support/camera-file.ts';
import { launchChromium } from './chromium.ts';
import { COMMON } from './page-rig.ts';

export const webRtc = { hosts: ['127.0.0.1'], iceServers: [], ports: null, relayOnly: false };
export const PATIENCE = { timeout: 60_000, interval: 100 };
const scene = (shape: string) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240">
  <rect width="320" height="240" fill="#7a787b"/>${shape}</svg>`;
/** A red circle in the middle, on the grey that nano's pictures have. */
const SCENE = scene('<circle cx="160" cy="60" r="36" fill="#d22823"/>');

interface SeenEvent {
  readonly type: string;
  readonly atMs: number;
  readonly [field: string]: unknown;
}

/** What the caller will say. */
function writeSentences(folder: string): void {
  const turns = readWav('test/fixtures/talk/six-turns.wav');
  const cut = (fromMs: number, toMs: number) =>
    turns.samples.subarray((fromMs * turns.sampleRate) / 1000, (toMs * turns.sampleRate) / 1000);
  const sentences = { count: cut(12_780, 14_160), see: cut(18_760, 19_760), sum: cut(6_780, 8_140) };
  for (const [name, samples] of Object.entries(sentences))
    writeWav(join(folder, `${name}.wav`), { sampleRate: turns.sampleRate, samples });
}

/** One Chromium and one nano for a file's tests. Call it where tests are declared. */
export function videoCallRig() {
  const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-call-'));
  let browser: Browser;
  let server: RunningServer;
  let closeHouse: () => Promise<void>;
  let page: Page;

  beforeAll(async () => {
    const camera = join(folder, 'camera.y4m');
    writeSentences(folder);
    await writeCamera(camera, SCENE, 640, 480);
    await build({
      ...{ configFile: false, logLevel: 'silent', root: 'test/end-to-end/video-call' },
      build: {
        outDir: folder,
        emptyOutDir: false,
        lib: { entry: 'page.js', formats: ['es'], fileName: 'page' },
      },
      define: { 'process.env': '{}' },
    });
    writeFileSync(
      join(folder, 'index.html'),
      '<!doctype html><title>call</title><script type="module" src="page.js"></script>',
    );
    const house = await openHouse(configSchema.parse({ logLevel: 'silent' }), 'real');
    closeHouse = () => house.close();
    const names = { modelName: house.engine.model.name, engineKind: house.engine.kind };
    server = await startServer({ ...house, ...COMMON, ...names, webRtc, webRoot: `${folder}/` });
    browser = await launchChromium(join(folder, 'sum.wav'), camera);
    page = await (await browser.newContext({ permissions: ['microphone', 'camera'] })).newPage();
    page.on('pageerror', error => console.error(`an error in the page: ${error.stack ?? error}`));
  });
  beforeEach(async () => {
    await page.goto(server.url);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await closeHouse?.();
    rmSync(folder, { recursive: true });
  });

  const sessions = async () => {
    const health = (await (await fetch(`${server.url}/healthz`)).json()) as { readonly sessions: number };
    return health.sessions;
  };
  const events = () => page.evaluate<SeenEvent[]>('window.events');
  const all = async (type: string) => (await events()).filter(event => event.type === type);
  const count = async (type: string) => (await all(type)).length;
  const say = (name: string) => page.evaluate(`window.say('${name}')`);
  const answers = async () =>
    (await all('response.output_audio_transcript.done')).map(({ transcript }) =>
      String(transcript).toLowerCase(),
    );

  return {
    ...{ folder, sessions, events, all, count, say, answers },
    get page() {
      return page;
    },
    get server() {
      return server;
    },
  };
}
