import { expect, test } from 'vitest';
import { EventLog } from '../../web/talk/event-log.js';
import { readSettings, sessionOf, turnDetection } from '../../web/talk/settings.js';
import { duration, Statistics } from '../../web/talk/statistics.js';

const append = { type: 'input_audio_buffer.append', audio: 'A'.repeat(1280) };

test('sound is counted in one line, and its bytes are left out', () => {
  const log = new EventLog(() => {});
  log.add('sent', append, 1330, 10);
  log.add('received', { type: 'response.output_audio.delta', delta: 'B'.repeat(640) }, 700, 20);
  log.add('sent', append, 1330, 30);
  log.add('received', { type: 'longcat.state', state: 'idle' }, 90, 40);
  log.add('sent', append, 1330, 50);
  expect(log.entries.map(({ type, count, bytes }) => [type, count, bytes])).toEqual([
    ['input_audio_buffer.append', 2, 2660],
    ['response.output_audio.delta', 1, 700],
    ['longcat.state', 1, 90],
    ['input_audio_buffer.append', 1, 1330],
  ]);
  expect(log.text()).not.toMatch(/A{20}|B{20}/);
  for (const line of log.text().trim().split('\n')) JSON.parse(line);
});

test('events other than sound keep their lines, the newest five hundred', () => {
  const log = new EventLog(() => {});
  for (let i = 0; i < 700; i++) log.add('received', { type: 'longcat.state', number: i }, 1, i);
  expect(log.entries).toHaveLength(500);
  expect(log.entries[0].number).toBe(201);
});

test('what a person wrote is readable where a picture is not', () => {
  const log = new EventLog(() => {});
  log.add(
    'sent',
    { type: 'a', text: 'It is said. '.repeat(40), image: `data:image/jpeg;base64,${'x'.repeat(900)}` },
    1,
    0,
  );
  const shown = JSON.stringify(log.entries[0].event);
  expect(shown).toContain('It is said. It is said.');
  expect(shown).not.toContain('xxxx');
});

test('the figures: counts, the median of the times to the first sound, and its n', () => {
  const figures = new Statistics();
  figures.began(1000);
  for (const totalMs of [280, 900, 300, 320]) figures.trace({ waterfall: { totalMs } });
  figures.trace({ waterfall: null });
  figures.response({ status: 'completed', usage: { input_tokens: 1234567, output_tokens: 7 } });
  figures.response({ status: 'failed' });
  const rows = new Map(figures.rows(126_000));
  expect(rows.get('Conversation')).toBe('2 min 5 s');
  expect(rows.get('To the first sound')).toBe('median 310 ms, slowest 900 ms (n 4)');
  expect(rows.get('Answers')).toBe('1, 1 failed');
  expect(rows.get('Tokens read')).toBe('1\u202f234\u202f567');
  expect(duration(59_940)).toBe('59.9 s');
});

test.each([
  null,
  '',
  'nonsense',
  '[1]',
  'null',
  '{"mode":7,"turnPreset":"constructor","instructions":["x"]}',
])('settings kept as %j are read as the defaults', kept => {
  expect(readSettings(kept)).toMatchObject({ mode: 'open', turnPreset: 'server', instructions: '' });
});

test('a preset is the eagerness that the protocol calls it; holding the button is manual turn-taking', () => {
  const settings = readSettings('{"turnPreset":"patient","instructions":"Be brief."}');
  expect(turnDetection(settings)).toEqual({ type: 'semantic_vad', eagerness: 'low' });
  expect(turnDetection({ ...settings, turnPreset: 'server' })).toEqual({ type: 'server_vad' });
  expect(turnDetection({ ...settings, mode: 'hold' })).toBe(null);
  expect(sessionOf(settings)).toMatchObject({ instructions: 'Be brief.' });
  expect(sessionOf({ ...settings, instructions: '' })).not.toHaveProperty('instructions');
});
