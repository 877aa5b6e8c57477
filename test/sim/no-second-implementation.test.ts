/**
 * sim/ holds worlds. Turn-taking, batching, interleaving and play-out exist once, in actors/: what sim/ imports says
 * so, and so does what becomes of a simulation whose product lacks one of them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { NEVER } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunResult } from '../../sim/results.ts';

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
  'kernels/package-root.ts',
];
/** Of the rooms of components only this: a type, and numbers. */
const ALLOWED_NAMES = [
  'VoiceActivityDetectorFactory',
  'DEFAULT_TURN_DETECTION',
  'PresetName',
  'TURN_PRESETS',
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

const scenario = {
  name: 'one implementation',
  durationS: 60,
  warmUpS: 5,
  load: { sessions: 8 },
  engine: { law: 'cluster', decodeDevices: 16, sideDevices: 2 },
  // Barge-ins that do not depend on chance alone, and nobody who makes other sounds.
  people: { bargeIn: 0.5, backchannelsPerMinute: 0, noisesPerMinute: 0, talkPerPauseS: 0 },
};

/** Runs the scenario with the modules as they are now mocked. */
async function simulate(): Promise<RunResult> {
  vi.resetModules();
  const { runScenario } = await import('../../sim/run.ts');
  const { parseScenario } = await import('../../sim/scenarios/schema.ts');
  return runScenario(parseScenario(scenario), 1);
}

const languageModel = ({ devices }: RunResult) => devices[0];

/** The actor with its ports, but nobody in it. */
const deaf = (definition: object) => ({ ...definition, behaviour: () => NEVER });

type Policy = typeof import('../../actors/language-model/batch-policy.ts');

const POLICY = '../../actors/language-model/batch-policy.ts';
const TURN_TAKING = '../../actors/turn-taking/turn-taking.ts';
const INTERLEAVER = '../../actors/chunk-interleaver/chunk-interleaver.ts';
const PLAY_OUT = '../../actors/play-out/play-out-actor.ts';

describe('sim/', () => {
  it('imports only contracts of the actors, never a component of the pipeline', () => {
    for (const { file, text } of files) {
      for (const [, names, path] of text.matchAll(
        /import (?:type )?\{([^}]*)\} from '((?:\.\.\/)+(?:actors|kernels|protocols|cli|web)\/[^']+)'/g,
      )) {
        const from = path.replace(/^(\.\.\/)+/, '');
        expect(ALLOWED_IMPORTS, `${file} imports ${path}`).toContain(from);
        if (!/^actors\/(perceive|turn-taking)\//.test(from)) continue;
        const taken = names.split(',').map(name => name.replace(/^\s*type\s+/, '').trim());
        for (const name of taken.filter(Boolean))
          expect(ALLOWED_NAMES, `${file} takes ${name}`).toContain(name);
      }
      expect(text, `${file} imports in another way`).not.toMatch(
        /(import\(|import \* as|export .* from) ?'?(\.\.\/)+(actors|kernels|protocols|cli|web)\//,
      );
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
    expect(users.map(({ file }) => file)).toEqual([
      'session-settings.ts', // How long a session may still wait in silence, so that no edge is lost when silence is given in bunches.
      'scenarios/schema.ts',
      'validation/conversations.ts',
      'validation/coverage.ts',
    ]);
  });
});

describe('a simulation of a product', () => {
  afterEach(() => {
    for (const module of [POLICY, TURN_TAKING, INTERLEAVER, PLAY_OUT]) vi.doUnmock(module);
  });

  it('that is whole answers people, batches, and falls silent when they barge in', async () => {
    const whole = await simulate();
    expect(whole.turns.length).toBeGreaterThan(20);
    expect(languageModel(whole).largestBatch).toBeGreaterThan(2);
    expect(whole.bargeIns.filter(({ silenceMs }) => silenceMs !== null).length).toBeGreaterThan(3);
  });

  it('that batches nothing has no batch', async () => {
    vi.doMock(POLICY, async original => {
      const { chooseBatch, ...rest } = await original<Policy>();
      const one: Policy['chooseBatch'] = (candidates, limits) =>
        chooseBatch(candidates, { ...limits, maxBatch: 1 });
      return { ...rest, chooseBatch: one };
    });
    const result = await simulate();
    expect(languageModel(result).jobs).toBeGreaterThan(100);
    expect(languageModel(result).largestBatch).toBe(1);
  });

  it('that never takes its turn answers nobody', async () => {
    vi.doMock(TURN_TAKING, async original => {
      const { turnTakingActor } = await original<typeof import('../../actors/turn-taking/turn-taking.ts')>();
      return {
        turnTakingActor: (...given: Parameters<typeof turnTakingActor>) => deaf(turnTakingActor(...given)),
      };
    });
    const { counts, turns } = await simulate();
    expect(counts.userTurns).toBeGreaterThan(20);
    expect(turns).toEqual([]);
  });

  it('that cannot interleave sends nothing of what was said to its language model', async () => {
    const whole = languageModel(await simulate());
    vi.doMock(INTERLEAVER, async original => {
      const module = await original<typeof import('../../actors/chunk-interleaver/chunk-interleaver.ts')>();
      const { chunkInterleaverActor } = module;
      return {
        ...module,
        chunkInterleaverActor: (...given: Parameters<typeof chunkInterleaverActor>) =>
          deaf(chunkInterleaverActor(...given)),
      };
    });
    const result = await simulate();
    expect(result.turns).toEqual([]);
    expect(languageModel(result).jobs).toBeLessThan(whole.jobs / 20);
  });

  it('that plays nothing out is not heard', async () => {
    vi.doMock(PLAY_OUT, async original => {
      const { playOutActor } = await original<typeof import('../../actors/play-out/play-out-actor.ts')>();
      return { playOutActor: (...given: Parameters<typeof playOutActor>) => deaf(playOutActor(...given)) };
    });
    const result = await simulate();
    expect(languageModel(result).jobs).toBeGreaterThan(100);
    expect(result.turns).toEqual([]);
    expect(result.bargeIns).toEqual([]);
  });
});
