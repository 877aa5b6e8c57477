/** What the camera shows is there for every way into a turn: spoken, typed, or just asked for. */
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { type WireClient, wireRig } from '../support/wire-rig.ts';

/** Frames every 500 ms for 3 s, as a camera sends them. */
async function watched(session: object = {}): Promise<WireClient> {
  const rig = wireRig();
  const client = rig.connect();
  client.configure({ type: 'realtime', longcat: { extensions: true }, ...session });
  const [live] = rig.runtime.sessions.values();
  const sent = vi.spyOn(live, 'send');
  const pictures = () => sent.mock.calls.filter(([command]) => command.type === 'picture').length;
  const create = { width: 8, height: 8, channels: 3, background: '#336699' } as const;
  const image = (await sharp({ create }).png().toBuffer()).toString('base64');
  for (let frame = 1; frame <= 6; frame++) {
    client.send({ type: 'longcat.video.frame', image });
    // Its header is read outside of the virtual clock.
    await expect.poll(pictures, { interval: 5 }).toBe(frame);
    await client.wait(500);
  }
  return client;
}

async function imageTokens(client: WireClient): Promise<number> {
  await client.wait(4000);
  const { response } = client.last('response.done');
  expect(response.status).toBe('completed');
  return response.usage.input_token_details.image_tokens;
}

describe('the camera', () => {
  it('is seen by a typed question', async () => {
    const client = await watched();
    client.text('What do you see?');
    client.send({ type: 'response.create' });
    expect(await imageTokens(client)).toBeGreaterThan(0);
  });

  it('is seen by a bare response.create', async () => {
    const client = await watched();
    client.send({ type: 'response.create' });
    expect(await imageTokens(client)).toBeGreaterThan(0);
  });

  it('is seen by a committed turn', async () => {
    const client = await watched({ audio: { input: { turn_detection: null } } });
    await client.say(1000);
    client.send({ type: 'input_audio_buffer.commit' });
    client.send({ type: 'response.create' });
    expect(await imageTokens(client)).toBeGreaterThan(0);
  });

  it('is seen by nothing where there was no picture', async () => {
    const client = wireRig().connect();
    client.text('What do you see?');
    client.send({ type: 'response.create' });
    expect(await imageTokens(client)).toBe(0);
  });
});
