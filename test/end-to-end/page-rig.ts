import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { createRandom, RealClock, silentLogger } from '../../actors/core/index.ts';
import { createRuntime, type Runtime, type Tool } from '../../actors/index.ts';
import { writeWav } from '../../cli/media/wav.ts';
import { type ServerOptions, startServer } from '../../protocols/index.ts';
import { withCaptions } from '../support/session-rig.ts';
import { voice } from '../support/voice.ts';
import { type ZeroLatencyOptions, zeroLatencyEngine } from '../support/zero-latency-engine.ts';
import { launchChromium } from './chromium.ts';

const MICROPHONE_HZ = 48_000;
/** The caller says something after 0.8 s, then is silent; over and over. */
export const CALL_MS = 8000;
export const PATIENCE_MS = 60_000;

export const SENTENCES = 'One two three. Four five six. Seven eight nine. Ten eleven twelve. '
  .repeat(8)
  .trim();
/** 60 ms each: longer than the caller is silent, so that every reply is interrupted. */
export const LONG_REPLY = [{ text: SENTENCES, frames: 600 }];

export const COMMON = {
  unixTimeMs: Date.now,
  host: '127.0.0.1',
  port: 0,
  keys: [],
  allowedOrigins: [],
  webRoot: 'web',
};

export interface PageRig {
  readonly folder: string;
  /** Done after the test, the newest first. */
  readonly cleanUp: (() => Promise<unknown>)[];
  /** The real runtime and server with an engine that answers at once, as scripted. */
  serveScripted(
    engine: ZeroLatencyOptions & { readonly captions?: boolean },
    options?: Partial<ServerOptions>,
    tools?: readonly Tool[],
  ): Promise<{ url: string; runtime: Runtime; close: () => Promise<void> }>;
  openPage(url: string, options?: BrowserContextOptions): Promise<Page>;
}

/** One Chromium with a talking microphone for a file's tests. Call it where tests are declared. */
export function pageRig(): PageRig {
  const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-page-'));
  const cleanUp: (() => Promise<unknown>)[] = [];
  let browser: Browser;

  beforeAll(async () => {
    const samples = new Float32Array((MICROPHONE_HZ * CALL_MS) / 1000);
    samples.set(voice(1600, MICROPHONE_HZ), MICROPHONE_HZ * 0.8);
    const wav = join(folder, 'caller.wav');
    writeWav(wav, { sampleRate: MICROPHONE_HZ, samples });
    browser = await launchChromium(wav);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const task of cleanUp.splice(0).reverse()) await task();
  });

  return {
    folder,
    cleanUp,
    async serveScripted(engineOptions, options = {}, tools = []) {
      const clock = new RealClock();
      const scripted = zeroLatencyEngine(engineOptions);
      const engine = engineOptions.captions ? withCaptions(scripted) : scripted;
      const runtime = createRuntime({ engine, clock, random: createRandom(1), tools });
      const names = { modelName: 'scripted', engineKind: engine.kind };
      const server = await startServer({
        ...COMMON,
        ...names,
        runtime,
        clock,
        log: silentLogger,
        ...options,
      });
      const close = async () => {
        await server.close();
        await runtime.close();
      };
      cleanUp.push(close);
      return { url: server.url, runtime, close };
    },
    async openPage(url, options = {}) {
      const context = await browser.newContext({ permissions: ['microphone', 'camera'], ...options });
      cleanUp.push(() => context.close());
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      page.on('pageerror', error => console.error(`an error in the page: ${error.stack ?? error}`));
      await page.goto(url);
      return page;
    },
  };
}

/** What the page's head said, in order; a state may last too short a time to be waited for. */
export async function recordStates(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`
    window.states = [];
    new MutationObserver(changes => changes.forEach(({ addedNodes }) => addedNodes.forEach(node => window.states.push(node.data))))
      .observe(document.getElementById('state'), { childList: true });
  `);
  return () => page.evaluate<string[]>('window.states');
}

/**
 * The microphone says nothing until the promised function is called, then what it says and a hum, however slow the
 * machine is. Before Start.
 */
export async function hushMicrophone(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(`{
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async wanted => {
      const context = new AudioContext();
      const [gain, out] = [new GainNode(context, { gain: 0 }), context.createMediaStreamDestination()];
      const [voice, hum] = [context.createMediaStreamSource(await open(wanted)), new OscillatorNode(context, { frequency: 100 })];
      hum.start();
      hum.connect(new GainNode(context, { gain: 0.001 })).connect(gain);
      voice.connect(gain).connect(out);
      window.unhush = () => { gain.gain.value = 1; };
      return out.stream;
    };
  }`);
  return () => page.evaluate<void>('unhush()');
}

export const state = (name: string) => `body[data-state="${name}"]`;

export const heardMs = async (page: Page) =>
  Number(await page.locator('.turn.agent').first().getAttribute('data-heard-ms'));

export async function waitUntilHeard(page: Page, ms: number): Promise<void> {
  await expect.poll(() => heardMs(page), { timeout: PATIENCE_MS, interval: 100 }).toBeGreaterThan(ms);
}

/** Everything of these names that the page sent, as it goes. */
export function sentEvents(page: Page, ...types: string[]): Record<string, unknown>[] {
  const sent: Record<string, unknown>[] = [];
  page.on('websocket', socket => {
    socket.on('framesent', ({ payload }) => {
      const event = JSON.parse(String(payload));
      if (types.includes(event.type)) sent.push(event);
    });
  });
  return sent;
}

export const holdToTalk = 'label:has-text("Hold to talk")';
