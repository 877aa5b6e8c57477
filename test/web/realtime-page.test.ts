/** What the page says in OpenAI Realtime is what the real door takes; under the virtual clock, without a document. */
import { expect, test } from 'vitest';
import type { Conversation } from '../../web/talk/conversation.js';
import { Realtime } from '../../web/talk/realtime.js';
import { readSettings } from '../../web/talk/settings.js';
import { wireRig } from '../support/wire-rig.ts';

test('each thing that a person does', async () => {
  const rig = wireRig({ replies: [[{ text: 'Yes.', frames: 20 }]] });
  const server = rig.connect();
  const settings = { ...readSettings(null), instructions: 'Be brief.' };
  const page = new Realtime({
    settings,
    send: (event: object) => server.send({ ...event }),
  } as unknown as Conversation);
  page.opened();
  expect(server.last('session.updated').session).toMatchObject({ instructions: 'Be brief.' });
  page.writes('Are you there?');
  await server.wait(200);
  const { item_id } = server.last('response.output_audio.delta');
  page.heard(String(item_id), 2400);
  await server.wait(5000);
  expect(server.all('response.done')).toHaveLength(1);

  Object.assign(settings, { mode: 'hold', instructions: 'Be kind.' });
  page.set({ mode: 'hold' });
  page.set({ instructions: 'Be kind.' });
  const { session } = server.last('session.updated');
  expect(session).toMatchObject({ instructions: 'Be kind.', audio: { input: { turn_detection: null } } });
  page.presses();
  for (let ms = 0; ms < 600; ms += 20) {
    await server.wait(20);
    page.hear(new Int16Array(480).fill(8000));
  }
  page.releases();
  await server.wait(3000);
  expect(server.all('input_audio_buffer.committed')).toHaveLength(1);
  expect(server.all('response.done')).toHaveLength(2);
  page.mutes();
  page.ends();
  expect(server.all('error')).toEqual([]);
});
