import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { liveTypeTable } from './live-type-table.ts';
import { typeTable, withTable } from './type-table.ts';

it('the README’s table of openai’s types is what its script writes', () => {
  const readme = readFileSync('protocols/realtime/README.md', 'utf8');
  // Red after an update of openai or of the protocol: npm run type-table.
  expect(readme).toBe(withTable(readme));
});

it('so is that of the GPT-Live types, and none of them is unknown here', () => {
  const readme = readFileSync('protocols/live/README.md', 'utf8');
  expect(readme).toBe(withTable(readme, liveTypeTable()));
  expect(readme).not.toContain('| unknown |');
  expect(readme).toContain('| client event | `session.start` | yes |');
  expect(readme).toContain('| client event | `decision.create` | refused: There are no decisions here. |');
  expect(readme).toMatch(/\| server event \| `decision\.event` \| never/);
});

it('the script reads both sides', () => {
  const table = typeTable();
  expect(table).toContain('| client event | `session.update` | yes |');
  expect(table).toContain('| server event | `response.output_audio.delta` | yes |');
  expect(table).toMatch(/\| server event \| `input_audio_buffer\.dtmf_event_received` \| no: /);
  expect(table).toContain('| session field | `audio` | yes |');
});
