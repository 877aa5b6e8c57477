/** sim/ holds worlds. Turn-taking, batching, interleaving and play-out exist once, in actors/. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const SIM = new URL('../../sim/', import.meta.url);
const files = readdirSync(SIM, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => ({ file, text: readFileSync(new URL(file, SIM), 'utf8') }));
const code = files.map(({ file, text }) => ({ file, text: text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '') }));

/** Where sim/ may reach into the actors: contracts and shared foundations, and the default delays. */
const ALLOWED_IMPORTS = [
  'actors/core/index.ts',
  'actors/index.ts',
  'actors/session-api.ts',
  'actors/perceive/index.ts',
  'actors/turn-taking/index.ts',
  'kernels/engine/index.ts',
  'kernels/errors.ts',
];

/** What each concern cannot be written without. */
const CONCERNS: readonly (readonly [concern: string, signs: RegExp])[] = [
  [
    'turn-taking',
    /\b(createMachine|createActor|xstate|userSpeaking|maybeDone|agentSpeaking|interrupted['"]|Segmenter|SpeechEdge)\b/,
  ],
  ['batching', /\b(chooseBatch|BatchPlanner|byDeadline|deadlineMs|Candidate)\b/],
  ['interleaving', /\b(Interleaver|generationHeader|audioBegin\b.*\baudioEnd\b.*push|toPositions)\b/],
  ['play-out', /\b(PlayOut|HeardLedger|openGate|closeGate|gainDb|Transcript)\b/],
];

describe('sim/', () => {
  it('imports only contracts of the actors, never a component of the pipeline', () => {
    for (const { file, text } of files) {
      for (const [, path] of text.matchAll(
        /from '((?:\.\.\/)+(?:actors|kernels|protocols|cli|web)\/[^']+)'/g,
      )) {
        expect(ALLOWED_IMPORTS, `${file} imports ${path}`).toContain(path.replace(/^(\.\.\/)+/, ''));
      }
    }
  });

  it.each(CONCERNS)('does not re-implement %s', (_concern, signs) => {
    for (const { file, text } of code) expect(text.match(signs)?.[0], file).toBeUndefined();
  });

  it('runs the product’s runtime, in one place', () => {
    const users = code.filter(({ text }) => text.includes('createRuntime('));
    expect(users.map(({ file }) => file)).toEqual(['run.ts']);
  });

  it('decides no endpoint of its own: silence thresholds are only passed on', () => {
    const users = code.filter(({ text }) => /endpointSilenceMs|speculateSilenceMs/.test(text));
    expect(users.map(({ file }) => file)).toEqual(['scenarios/schema.ts', 'validation/conversations.ts']);
  });
});
