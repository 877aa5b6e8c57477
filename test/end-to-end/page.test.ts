import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createRandom, RealClock, silentLogger } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import { configSchema } from '../../cli/config/schema.ts';
import { openHouse } from '../../cli/house.ts';
import { writeWav } from '../../cli/media/wav.ts';
import { writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { type ServerOptions, startServer } from '../../protocols/index.ts';
import { voice } from '../support/voice.ts';
import { type ZeroLatencyOptions, zeroLatencyEngine } from '../support/zero-latency-engine.ts';
import { describeInBrowser, launchChromium } from './chromium.ts';

const MICROPHONE_HZ = 48_000;
const CALL_MS = 8000;
const PATIENCE_MS = 60_000;
const SENTENCES = 'One two three. Four five six. Seven eight nine. Ten eleven twelve. '.repeat(8).trim();
/** 60 ms each: longer than the caller is silent, so that every reply is interrupted. */
const LONG_REPLY = [{ text: SENTENCES, frames: 600 }];

const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-page-'));
let browser: Browser;
let cleanUp: (() => Promise<unknown>)[] = [];

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
  for (const task of cleanUp.reverse()) await task();
  cleanUp = [];
});

const COMMON = {
  unixTimeMs: Date.now,
  host: '127.0.0.1',
  port: 0,
  keys: [],
  allowedOrigins: [],
  webRoot: 'web',
};

/** The real runtime and server with an engine that answers at once, as scripted. */
async function serveScripted(engineOptions: ZeroLatencyOptions, options: Partial<ServerOptions> = {}) {
  const clock = new RealClock();
  const engine = zeroLatencyEngine(engineOptions);
  const runtime = createRuntime({ engine, clock, random: createRandom(1) });
  const names = { modelName: 'scripted', engineKind: engine.kind };
  const server = await startServer({ ...COMMON, ...names, runtime, clock, log: silentLogger, ...options });
  const close = async () => {
    await server.close();
    await runtime.close();
  };
  cleanUp.push(close);
  return { url: server.url, close };
}

async function openPage(url: string): Promise<Page> {
  const context = await browser.newContext({ permissions: ['microphone', 'camera'] });
  cleanUp.push(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  return page;
}

/** What the page's head said, in order; a state may last too short a time to be waited for. */
async function recordStates(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`
    window.states = [];
    new MutationObserver(changes => changes.forEach(({ addedNodes }) => addedNodes.forEach(node => window.states.push(node.data))))
      .observe(document.getElementById('state'), { childList: true });
  `);
  return () => page.evaluate<string[]>('window.states');
}

const state = (name: string) => `body[data-state="${name}"]`;
const heardMs = async (page: Page) =>
  Number(await page.locator('.turn.agent').first().getAttribute('data-heard-ms'));
async function waitUntilHeard(page: Page, ms: number): Promise<void> {
  await expect.poll(() => heardMs(page), { timeout: PATIENCE_MS, interval: 100 }).toBeGreaterThan(ms);
}

describeInBrowser('the page', () => {
  it('holds a spoken turn with the reference engine: captions, state, sound and a waterfall', async () => {
    const model = join(folder, 'model');
    writeSeededCheckpoint(model, { seed: 1 });
    const house = await openHouse(
      configSchema.parse({ model, logLevel: 'silent', engine: 'reference' }),
      'real',
    );
    const names = { modelName: house.engine.model.name, engineKind: house.engine.kind };
    const server = await startServer({ ...house, ...COMMON, ...names });
    cleanUp.push(
      () => house.close(),
      () => server.close(),
    );

    const page = await openPage(server.url);
    const states = await recordStates(page);
    await page.click('#start');
    await page.waitForSelector('.waterfall', { timeout: 2 * PATIENCE_MS });
    const story = ['Connecting', 'Listening', 'Hearing you', 'A pause', 'Thinking'];
    expect((await states()).filter((name, i, all) => all.indexOf(name) === i).slice(0, 5)).toEqual(story);
    // On a slow machine the caller may speak again before the answer begins.
    await expect.poll(states, { timeout: PATIENCE_MS }).toContain('Speaking');
    expect(await page.locator('.turn.user .levels').count()).toBeGreaterThan(0);
    expect(await page.locator('.waterfall-rows li').count()).toBeGreaterThan(1);
    await waitUntilHeard(page, 0);
  }, 200_000);

  it('is interrupted by talking: sound stops, the context keeps what was heard, the picture was seen', async () => {
    const pictures = new Set<number>();
    const { url } = await serveScripted({
      replies: [LONG_REPLY],
      onStep: (component, batch) => component === 'visionEncoder' && pictures.add(batch.length),
    });
    const page = await openPage(url);
    await page.click('#start');
    await page.waitForSelector('body[data-phase="live"]');
    await page.click('#camera');
    await page.waitForSelector(state('agentSpeaking'));
    await waitUntilHeard(page, 1500);

    await page.waitForSelector('.turn.agent.interrupted');
    await page.waitForSelector('.turn.agent.interrupted .waterfall');
    const kept = await page.locator('.turn.agent .spoken').first().textContent();
    expect(SENTENCES.startsWith(kept ?? '?')).toBe(true);
    expect(kept).toMatch(/\.$/);
    expect(kept?.length).toBeLessThan(SENTENCES.length);
    const heard = await heardMs(page);
    expect(heard).toBeLessThan(CALL_MS);
    expect(await page.locator('.turn.user').count()).toBeGreaterThanOrEqual(2);

    await page.waitForSelector('.turn.agent >> nth=1');
    expect(await heardMs(page)).toBeLessThan(heard + 100);
    expect(pictures.size).toBeGreaterThan(0);
  }, 120_000);

  it('talks by holding the space bar, and a new press stops the answer', async () => {
    const { url } = await serveScripted({ replies: [LONG_REPLY] });
    const page = await openPage(url);
    let appended = 0;
    page.on('websocket', socket => {
      socket.on('framesent', ({ payload }) => {
        if (payload.includes('input_audio_buffer.append')) appended++;
      });
    });
    await page.click('text=Hold to talk');
    await page.click('#start');
    await page.waitForSelector('#talk:enabled');
    expect(await page.textContent('#state')).toBe('Your turn');

    await page.keyboard.down('Space');
    await page.waitForSelector('#talk.held');
    await expect.poll(() => appended, { timeout: PATIENCE_MS }).toBeGreaterThan(25);
    expect(await page.textContent('#state')).toBe('Hearing you');
    await page.keyboard.up('Space');
    await waitUntilHeard(page, 500);

    await page.keyboard.down('Space');
    await page.waitForSelector('.turn.agent.interrupted');
    await page.keyboard.up('Space');
  }, 120_000);

  it('says when the server is gone and comes back to a new conversation', async () => {
    const first = await serveScripted({}, { socketServer: 'ws' });
    const page = await openPage(first.url);
    await page.click('#start');
    await page.waitForSelector('.turn.user');
    await first.close();
    await page.waitForSelector('body[data-phase="reconnecting"]');
    expect(await page.textContent('#state')).toBe('Connection lost');

    await serveScripted({}, { socketServer: 'ws', port: Number(new URL(first.url).port) });
    await page.waitForSelector('body[data-phase="live"]');
    await page.waitForSelector('.divider');
    await page.click('#end');
    expect(await page.isEnabled('#start')).toBe(true);
  }, 120_000);

  it('asks for an API key where the server wants one', async () => {
    const { url } = await serveScripted({}, { keys: ['correct-horse'] });
    const page = await openPage(url);
    await page.click('#start');
    await page.fill('.notice input', 'correct-horse');
    await page.click('text=Use key');
    await page.waitForSelector('body[data-phase="live"]');
    expect(await page.locator('.notice').count()).toBe(0);
  }, 120_000);

  it('says so when the microphone delivers nothing', async () => {
    const { url } = await serveScripted({});
    const page = await openPage(url);
    await page.evaluate(
      'navigator.mediaDevices.getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream',
    );
    await page.click('#start');
    await page.waitForSelector('.notice');
    expect(await page.textContent('.notice b')).toBe('No sound comes from the microphone.');
    expect(await page.isEnabled('#end')).toBe(true);
  });

  it.each([
    ['NotAllowedError', 'The microphone is blocked.'],
    ['NotFoundError', 'No microphone was found.'],
  ])('explains a %s of the microphone', async (name, message) => {
    const { url } = await serveScripted({});
    const page = await openPage(url);
    await page.evaluate(
      `navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', '${name}'); }`,
    );
    await page.click('#start');
    expect(await page.textContent('.notice b')).toBe(message);
    expect(await page.isEnabled('#start')).toBe(true);
  });
});
