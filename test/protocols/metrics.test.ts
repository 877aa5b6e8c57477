/** What `/metrics` tells of the messages between actors. */
import { expect, it } from 'vitest';
import { wireRig } from '../support/wire-rig.ts';

it('counts the messages to each actor by port and fate, also of sessions that have ended', async () => {
  const rig = wireRig({ replies: [[{ text: 'Yes.', frames: 10 }]] });
  const counts = async () => {
    const lines = (await rig.metrics.text()).matchAll(
      /^longcat_actor_messages_total\{actor="([\w-]+)",port="(\w+)",fate="(\w+)"\} (\d+)$/gm,
    );
    return new Map(
      [...lines].map(([, actor, port, fate, count]) => [`${actor} ${port} ${fate}`, Number(count)]),
    );
  };
  const client = rig.connect();
  await client.say(600);
  await client.silence(1500);
  const first = await counts();
  // 20 ms each; the last of them waits in the resampler.
  expect(first.get('perceive audio taken')).toBe(104);
  expect(first.get('language-model control taken')).toBeGreaterThan(0);
  for (const [name, count] of first)
    if (/overflowed|dropped/.test(name)) expect([name, count]).toEqual([name, 0]);
  for (const session of rig.runtime.sessions.values()) session.close('over');
  const other = rig.connect();
  await other.say(200);
  expect((await counts()).get('perceive audio taken')).toBe(113);
});
