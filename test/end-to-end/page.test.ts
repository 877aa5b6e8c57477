import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { defineTool } from '../../actors/index.ts';
import { configSchema } from '../../cli/config/schema.ts';
import { openHouse } from '../../cli/house.ts';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { startServer } from '../../protocols/index.ts';
import { callSegment, TOOL_TEMPLATE } from '../support/tool-calls.ts';
import { describeInBrowser } from './chromium.ts';
import {
  CALL_MS,
  COMMON,
  heardMs,
  holdToTalk,
  hushMicrophone,
  LONG_REPLY,
  PATIENCE_MS,
  pageRig,
  recordStates,
  SENTENCES,
  sentEvents,
  state,
  waitUntilHeard,
} from './page-rig.ts';

const SHOWN = 'document.getElementById("camera-preview").srcObject';

describeInBrowser('the page', () => {
  const { folder, cleanUp, serveScripted, openPage } = pageRig();

  it('holds a spoken turn with the reference engine: captions, state, sound and a waterfall', async () => {
    const model = join(folder, 'model');
    writeSeededCheckpoint(model, { seed: 1, dimensions: tinyDimensions });
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

  it('shows a call of a tool, its arguments and its result, and the answer after it', async () => {
    let ring: (() => void) | undefined;
    const setTimer = [
      defineTool({
        ...{ name: 'set_timer', effect: 'world' },
        parameters: { properties: { minutes: { type: 'integer' } } },
        run: () =>
          new Promise(resolve => {
            ring = () => resolve({ set: true });
          }),
      }),
    ];
    const replies = [
      [{ text: 'One moment.', frames: 14 }, callSegment(['set_timer', { minutes: 5 }])],
      [{ text: 'The timer is set.', frames: 14 }],
    ];
    const { url } = await serveScripted({ replies, toolTemplate: TOOL_TEMPLATE }, {}, setTimer);
    const page = await openPage(url);
    await page.click('#start');
    await page.waitForSelector('.turn.acts.waits');
    expect(await page.locator('.turn.acts .call').first().textContent()).toBe('set_timer({"minutes":5})');
    // What is said before a call is only said where its result is late: it comes once that was said.
    const said = () => page.locator('.turn.agent .spoken').allTextContents();
    await expect.poll(said, { timeout: PATIENCE_MS }).toContain('One moment.');
    expect(ring).toBeDefined();
    ring!();
    await page.waitForSelector('.turn.acts:not(.waits)');
    expect(await page.locator('.turn.acts .outcome').first().textContent()).toBe('{"set":true}');
    await page.waitForSelector('.turn.agent >> nth=1');
    const turns = await page.locator('.turn').allTextContents();
    const places = ['One moment.', 'set_timer', 'The timer'].map(words =>
      turns.findIndex(text => text.includes(words)),
    );
    expect(places).toEqual([places[0], places[0] + 1, places[0] + 2]);
    expect(await page.locator('.conversation').textContent()).not.toContain('longcat_');
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  }, 120_000);

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
    // The caller speaks again after so long, and a busy machine may take as long again to notice.
    expect(heard).toBeLessThan(2 * CALL_MS);
    await page.waitForSelector('.turn.user >> nth=1');

    await page.waitForSelector('.turn.agent >> nth=1');
    expect(await heardMs(page)).toBeLessThan(heard + 100);
    await expect.poll(() => pictures.size, { timeout: PATIENCE_MS }).toBeGreaterThan(0);
  }, 120_000);

  it('talks by holding the space bar, muted or not, and a new press stops the answer', async () => {
    const { url } = await serveScripted({ replies: [LONG_REPLY] });
    const page = await openPage(url);
    const appended = sentEvents(page, 'input_audio_buffer.append');
    const unhush = await hushMicrophone(page);
    await page.click('#start');
    await page.waitForSelector('body[data-phase="live"]');
    await page.click('#mute');
    await page.click(holdToTalk);
    await page.waitForSelector('#talk:visible');
    await unhush();
    expect(await page.textContent('#state')).toBe('Your turn');
    expect(await page.isVisible('#mute')).toBe(false);

    appended.length = 0;
    await page.keyboard.down('Space');
    await page.waitForSelector('#talk.held');
    const isSound = () => appended.some(({ audio }) => /[^A=]/.test(String(audio)));
    await expect.poll(isSound, { timeout: PATIENCE_MS }).toBe(true);
    await expect.poll(() => appended.length, { timeout: PATIENCE_MS }).toBeGreaterThan(25);
    expect(await page.textContent('#state')).toBe('Hearing you');
    await page.keyboard.up('Space');
    await waitUntilHeard(page, 500);

    await page.keyboard.down('Space');
    await page.waitForSelector('.turn.agent.interrupted');
    await page.keyboard.up('Space');
    // Back to the open microphone it is still muted.
    await page.click('label:has-text("Open mic")');
    expect(await page.getAttribute('#mute', 'aria-pressed')).toBe('true');
  }, 120_000);

  it('says “Muted” while muted, and sends silence', async () => {
    const { url } = await serveScripted({});
    const page = await openPage(url);
    const appended = sentEvents(page, 'input_audio_buffer.append');
    const unhush = await hushMicrophone(page);
    await page.click('#start');
    await page.waitForSelector('body[data-phase="live"]');
    await page.click('#mute');
    expect(await page.textContent('#state')).toBe('Muted');
    await unhush();
    const isSilent = ({ audio }: { audio?: unknown } = {}) => /^A+=*$/.test(String(audio));
    appended.length = 0;
    await expect.poll(() => appended.length, { timeout: PATIENCE_MS }).toBeGreaterThan(75);
    expect(appended.every(isSilent)).toBe(true);
    await page.click('#mute');
    await expect.poll(() => appended.every(isSilent), { timeout: PATIENCE_MS }).toBe(false);
  }, 120_000);

  it('says when the server is gone, counts down, and comes back to a new conversation', async () => {
    const first = await serveScripted({}, { socketServer: 'ws' });
    const page = await openPage(first.url);
    await page.click('#start');
    await page.waitForSelector('.turn.user');
    await Promise.all([page.waitForSelector('body[data-phase="reconnecting"]'), first.close()]);
    expect(await page.textContent('#state')).toBe('Connection lost');
    expect(await page.textContent('#hint')).toMatch(/^Trying (again in \d s|now) \(try \d of 6\)/);

    await serveScripted({}, { socketServer: 'ws', port: Number(new URL(first.url).port) });
    await page.click('#try-now', { timeout: 1000 }).catch(() => {}); // It may have come back by itself.
    await page.waitForSelector('body[data-phase="live"]');
    await page.waitForSelector('.divider');
    await page.click('#end');
    expect(await page.isVisible('#start')).toBe(true);
    expect(await page.locator('.notice').count()).toBe(0);
  }, 120_000);

  it('gives the camera back when the server is given up, and says the same everywhere', async () => {
    const { url, close } = await serveScripted({}, { socketServer: 'ws' });
    const page = await openPage(url);
    await page.click('#start');
    await page.waitForSelector('body[data-phase="live"]');
    await page.click('#camera');
    const live = () =>
      page.evaluate(`${SHOWN}?.getVideoTracks().some(t => t.readyState === "live") ?? false`);
    await expect.poll(live, { timeout: PATIENCE_MS }).toBe(true);
    await page.evaluate(`window.track = ${SHOWN}.getVideoTracks()[0]`);
    await Promise.all([page.waitForSelector('body[data-phase="reconnecting"]'), close()]);
    for (let tries = 0; tries < 20 && (await page.isVisible('#try-now')); tries++)
      await page.click('#try-now', { timeout: 1000 }).catch(() => {});
    await page.waitForSelector('body[data-phase="ended"]');
    expect(await page.evaluate('track.readyState')).toBe('ended');
    expect(await page.getAttribute('#camera', 'aria-pressed')).toBe('false');
    expect(await page.textContent('#state')).toBe('Not connected');
    await page.waitForSelector('.notice:has-text("The server does not answer.")');
  }, 120_000);

  it('obeys its settings, gives transcript, sound and events as files, and makes no foreign request', async () => {
    const { url } = await serveScripted({ replies: [[{ text: 'One, two, three.', frames: 30 }]] });
    const page = await openPage(url);
    const updates = sentEvents(page, 'session.update');
    const foreign: string[] = [];
    page.on('request', request => {
      if (!request.url().startsWith(url) && !request.url().startsWith('blob:')) foreign.push(request.url());
    });
    const complaints: string[] = [];
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()));
    await page.reload();
    await page.click('#start');
    await page.waitForSelector('.turn.agent .waterfall');
    await page.click('#more');

    await page.selectOption('#turn-preset', 'patient');
    await page.fill('#instructions', 'Be brief.');
    const microphones = () => page.locator('#microphone option').count();
    await expect.poll(microphones, { timeout: PATIENCE_MS }).toBeGreaterThan(1);
    await page.selectOption('#microphone', { index: 1 });
    await page.waitForSelector(state('userSpeaking'));
    const asked = () => updates.slice(1).map(({ session }) => session);
    await expect.poll(asked, { timeout: PATIENCE_MS }).toEqual([
      { type: 'realtime', audio: { input: { turn_detection: { type: 'semantic_vad', eagerness: 'low' } } } },
      { type: 'realtime', instructions: 'Be brief.' },
    ]);

    await page.click('#end');
    await page.click('#files-tab');
    const file = async (button: string) => {
      const download = page.waitForEvent('download');
      await page.click(button);
      return readFileSync(await (await download).path());
    };
    expect((await file('#save-text')).toString()).toMatch(/Agent {2}One, two, three\./);
    const { turns } = JSON.parse((await file('#save-json')).toString()) as { turns: { side: string }[] };
    expect(turns.map(({ side }) => side)).toEqual(expect.arrayContaining(['user', 'agent']));
    expect((await file('#save-events')).toString()).toContain('"type":"session.updated"');
    const wav = await file('#save-sound');
    expect(wav.readUInt16LE(22)).toBe(2);
    const heard = (side: number) =>
      wav.subarray(44).some((_, i) => i % 4 === 2 * side && wav.readInt16LE(44 + i) !== 0);
    expect([heard(0), heard(1)]).toEqual([true, true]);
    expect([...foreign, ...complaints]).toEqual([]);
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
    expect(await page.isVisible('#end')).toBe(true);
  });

  it.each([
    ['NotAllowedError', 'The microphone is blocked.'],
    ['NotFoundError', 'No microphone was found.'],
  ])('explains a %s of the microphone, and goes on in writing', async (name, message) => {
    const { url } = await serveScripted({});
    const page = await openPage(url);
    await page.evaluate(
      `navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', '${name}'); }`,
    );
    await page.click('#start');
    await page.waitForSelector('.notice');
    expect(await page.textContent('.notice b')).toBe(message);
    expect(await page.isVisible('#start')).toBe(true);
    await page.click('text=Write instead');
    await page.waitForSelector('body[data-phase="live"]');
    expect(await page.textContent('#state')).toBe('Microphone off');
    expect(await page.locator('.notice').count()).toBe(0);
  });
});
