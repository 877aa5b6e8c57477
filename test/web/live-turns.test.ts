import { beforeEach, expect, test } from 'vitest';
import { LiveTurns } from '../../web/talk/live/live-turns.js';

let turns: LiveTurns;
let told: string[];

beforeEach(() => {
  told = [];
  const tell =
    (name: string) =>
    (...values: unknown[]) =>
      void told.push([name, ...values].join(' '));
  turns = new LiveTurns({
    agentBegan: tell('agent began'),
    agentSaid: tell('agent said'),
    agentEnded: tell('agent ended'),
    agentInterrupted: tell('interrupted'),
    userBegan: tell('user began'),
    userSaid: tell('user said'),
    userEnded: tell('user ended'),
    state: tell('is'),
  });
});

const user = (delta: string, start_ms: number, end_ms: number) => turns.userSaid({ delta, start_ms, end_ms });
const agent = (delta: string, end_ms: number) => turns.agentSaid({ delta, end_ms });
const began = () => told.filter(text => text.includes('began')).map(text => text.split(' ')[0]);

test('a question and its answer are two turns, each told once, with its words', () => {
  user('What is', 400, 800);
  user(' it?', 800, 1100);
  turns.sounds(60);
  agent('Seven.', 2000);
  for (let ms = 0; ms < 1000; ms += 20) turns.quiet(20);
  expect(told).toEqual([
    ...['user began you 1 400', 'user said you 1 What is 400 800', 'is userSpeaking'],
    'user said you 1  it? 400 1100',
    ...['is agentSpeaking', 'user ended you 1', 'agent began agent 2', 'agent said agent 2 Seven.'],
    ...['agent ended agent 2', 'is idle'],
  ]);
});

test('a pause of the agent is no end of its turn, and neither is a "mhm" of the person', () => {
  turns.sounds(500);
  agent('One, two,', 500);
  turns.quiet(600);
  user('mhm', 500, 700);
  turns.sounds(500);
  agent(' three.', 1600);
  turns.quiet(700);
  expect(began()).toEqual(['agent', 'user']);
  expect(told.filter(text => /interrupted|ended/.test(text))).toEqual(['agent ended agent 1']);
});

test('what is said after somebody spoke on into a short silence is another turn', () => {
  turns.sounds(500);
  agent('One,', 500);
  user('and then', 400, 900);
  turns.quiet(400);
  turns.sounds(500);
  agent('Two.', 1900);
  expect(told.filter(text => /began|ended|^interrupted/.test(text))).toEqual([
    ...['agent began agent 1', 'user began you 2 400', 'agent ended agent 1', 'interrupted agent 1'],
    ...['user ended you 2', 'agent began agent 3'],
  ]);
});

test.each([
  ['before the line is known to be over', true],
  ['afterwards', false],
])('who speaks into a sentence that breaks off has interrupted it: words that come %s', (_when, early) => {
  turns.sounds(900);
  agent('One, two,', 900);
  turns.sounds(200);
  if (early) user('Stop', 850, 1300);
  for (let ms = 0; ms < 700; ms += 20) turns.quiet(20);
  if (!early) user('Stop', 850, 1300);
  user(' that.', 1300, 1500);
  expect(told.filter(text => text.startsWith('interrupted'))).toEqual(['interrupted agent 1']);
  expect(began()).toEqual(['agent', 'user']);
});

test('a sentence that is cut before any word of it was told was interrupted: its sound had begun', () => {
  turns.sounds(900);
  agent('One, two, three.', 900);
  turns.sounds(800);
  user('Stop', 1500, 1900);
  turns.quiet(700);
  expect(told.filter(line => line.startsWith('interrupted'))).toEqual(['interrupted agent 1']);
});

test('one word that was over before the line fell silent has interrupted it', () => {
  turns.sounds(900);
  agent('One, two,', 900);
  user('Stop', 600, 850);
  turns.sounds(600);
  turns.quiet(700);
  expect(told.filter(line => line.startsWith('interrupted'))).toEqual(['interrupted agent 1']);
});

test.each([
  ['came to its end', 'One, two, three.', 850],
  ['broke off before the person spoke', 'One, two,', 1500],
])('an agent that %s was not interrupted', (_what, text, fromMs) => {
  turns.sounds(900);
  agent(text, 900);
  turns.quiet(700);
  user('Stop', fromMs, fromMs + 400);
  expect(told.filter(line => line.startsWith('interrupted'))).toEqual([]);
});

test('words after an answer, or after a long pause, are another turn; late ones are not', () => {
  user('Who', 0, 300);
  turns.sounds(60);
  agent('Lucy.', 450);
  user(' is it?', 500, 600);
  user('And you?', 1000, 1200);
  user('Still there?', 4000, 4300);
  expect(began()).toEqual(['user', 'agent', 'user', 'user']);
});

test('sound without a word is no turn', () => {
  turns.sounds(60);
  turns.quiet(700);
  user('Hello?', 900, 1200);
  expect(told).toEqual([
    'is agentSpeaking',
    'is idle',
    'user began you 2 900',
    'user said you 2 Hello? 900 1200',
    'is userSpeaking',
  ]);
});
