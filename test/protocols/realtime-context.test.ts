/** What a client of the Realtime protocol is told of what its model does not know any more. */
import { expect, it } from 'vitest';
import { wireRig } from '../support/wire-rig.ts';

async function filled(extensions: boolean) {
  const rig = wireRig({ maxPositions: 1000, memory: { summarise: items => `${items.length} are gone.` } });
  const client = rig.connect();
  client.configure({ longcat: { extensions } });
  for (let i = 0; i < 14; i++) client.text('x'.repeat(94));
  await client.wait(10);
  return client;
}

it('is which items left its context, and what the model is told of them instead', async () => {
  const client = await filled(true);
  const left: string[] = client.all('longcat.context.dropped').flatMap(({ item_ids }) => item_ids);
  expect(left.length).toBeGreaterThan(0);
  const added = client.all('conversation.item.added').map(({ item }) => item.id);
  expect(left).toEqual(added.slice(0, left.length));
  expect(client.all('longcat.context.summarised')[0].text).toMatch(/^[1-9]\d* are gone\.$/);
  expect(client.all('conversation.item.deleted')).toEqual([]);
});

it('is nothing to a client that knows the plain protocol alone', async () => {
  const client = await filled(false);
  expect(client.events.filter(({ type }) => type.startsWith('longcat.'))).toEqual([]);
});
