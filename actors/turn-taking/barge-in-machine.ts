/**
 * Sound during the agent's speech that may take the turn, while it is decided. The decision itself is pure
 * (`interruption.ts`); here is when it is asked for, and what is done meanwhile.
 *
 *   quiet ── the agent is ducked ──► alert ── a sound has begun ──► weighing ──┬─ yields ──► quiet: it is a turn of the
 *   user's
 *                                                                  │ words asked for        └─ resumes ► quiet: as if it had not been
 *                                                                  │ play-out paused
 */
import { assign, setup } from 'xstate';
import { TURN_DELAYS } from './defaults.ts';
import {
  decideInterruption,
  INTERRUPTION,
  type InterruptionEvidence,
  isVoiceOfTurn,
} from './interruption.ts';

/** What the ear knows of the sound. */
export type SoundHeard = Omit<
  InterruptionEvidence,
  'words' | 'confidences' | 'surest' | 'wordsBefore' | 'wordsComplete' | 'loudestDb'
>;

export type BargeInEvent =
  /** It is undecided whether the user takes the turn; or it is not any more. */
  | { readonly type: 'agent.ducked' }
  | { readonly type: 'agent.unducked' }
  /** What began is a sound that must be weighed. */
  | { readonly type: 'sound.began' }
  /** After each of its frames. */
  | { readonly type: 'sound.heard'; readonly heard: SoundHeard }
  /** Nothing more will come of it: a silence as long as ends a turn. */
  | { readonly type: 'sound.over' }
  /** All words so far: unasked, as the caption head goes along, */
  | { readonly type: 'words.came'; readonly words: string; readonly confidences: readonly number[] }
  /** or as they were asked for. */
  | { readonly type: 'words.answered'; readonly words: string; readonly confidences: readonly number[] }
  /** Somebody else has decided: a client committed the turn, or threw it away. */
  | { readonly type: 'committed' }
  | { readonly type: 'discarded' };

export interface BargeInContext {
  readonly heard: SoundHeard | null;
  readonly loudestDb: number | null;
  readonly words: string;
  /** Of each of them, 0–1. */
  readonly confidences: readonly number[];
  /** The highest that one of them ever was. */
  readonly surest: number;
  /** Of the last two times that they were asked for, the words of the first and of the second. */
  readonly wordsBefore: string;
  readonly wordsAnswered: string;
  /** `words` holds everything that was said. */
  readonly wordsComplete: boolean;
  /** How long the sound had lasted when its words were asked for last, before its end. */
  readonly askedMs: number;
}

/** What is done of it, by name. */
export type BargeInAction = 'listen' | 'askForWords' | 'pause' | 'take' | 'dismiss' | 'forget';

const NOTHING_YET: BargeInContext = {
  ...{
    heard: null,
    loudestDb: null,
    words: '',
    confidences: [],
    surest: 0,
    wordsBefore: '',
    wordsAnswered: '',
    wordsComplete: false,
    askedMs: 0,
  },
};
const NOTHING_KNOWN: SoundHeard = {
  ...{ lastedMs: 0, speechMs: 0, voicedMs: null, likeness: null, quietMs: 0, ended: false },
  ...{ relativeDb: null, recentDb: null },
};

/** A sound that lasted this long when its words were asked for is worth asking about again at this age. */
function nextAskMs(askedMs: number): number {
  const { firstMs, everyMs } = TURN_DELAYS.askForWords;
  return askedMs === 0 ? firstMs : askedMs + everyMs;
}

function isDecided(context: BargeInContext, decision: 'yield' | 'resume'): boolean {
  const { heard, ...said } = context;
  return heard !== null && decideInterruption({ ...heard, ...said }) === decision;
}

type SaidSoFar = Pick<BargeInContext, 'words' | 'confidences' | 'surest'>;

function saidIn(event: BargeInEvent, before: SaidSoFar): SaidSoFar {
  if (!('words' in event)) return before;
  const { words, confidences } = event;
  return { words, confidences, surest: Math.max(before.surest, ...confidences) };
}

/** The first sounds of a word are too short for its level. */
function louder(soFarDb: number | null, { relativeDb, speechMs }: SoundHeard): number | null {
  if (relativeDb === null || speechMs < INTERRUPTION.blipMs) return soFarDb;
  return Math.max(soFarDb ?? relativeDb, relativeDb);
}

/** Done by whoever runs the machine. */
const byName = () => {};

export const bargeInMachine = setup({
  types: { context: {} as BargeInContext, events: {} as BargeInEvent },
  guards: {
    yields: ({ context }) => isDecided(context, 'yield'),
    resumes: ({ context }) => isDecided(context, 'resume'),
    isVoiceOfTurn: ({ event }) => event.type === 'sound.heard' && isVoiceOfTurn(event.heard),
    hasEnded: ({ event }) => event.type === 'sound.heard' && event.heard.ended,
    isDueToAsk: ({ context, event }) =>
      event.type === 'sound.heard' &&
      !event.heard.ended &&
      event.heard.lastedMs >= nextAskMs(context.askedMs),
  },
  actions: {
    ...({ listen: byName, askForWords: byName, pause: byName } satisfies Partial<
      Record<BargeInAction, () => void>
    >),
    ...({ take: byName, dismiss: byName, forget: byName } satisfies Partial<
      Record<BargeInAction, () => void>
    >),
    begin: assign(NOTHING_YET),
    noteSound: assign({
      heard: ({ event, context }) => (event.type === 'sound.heard' ? event.heard : context.heard),
      loudestDb: ({ event, context }) =>
        event.type === 'sound.heard' ? louder(context.loudestDb, event.heard) : context.loudestDb,
    }),
    noteEnd: assign({
      heard: ({ context }) => ({
        ...(context.heard ?? NOTHING_KNOWN),
        lastedMs: Number.POSITIVE_INFINITY,
        ended: true,
      }),
      wordsComplete: true,
    }),
    noteWords: assign(({ event, context }) => saidIn(event, context)),
    noteAnswer: assign(({ event, context }) => {
      const said = saidIn(event, context);
      return { ...said, wordsBefore: context.wordsAnswered, wordsAnswered: said.words };
    }),
    noteAllWords: assign({ wordsComplete: true }),
    noteAsked: assign({
      askedMs: ({ event, context }) =>
        event.type === 'sound.heard' ? event.heard.lastedMs : context.askedMs,
    }),
  },
}).createMachine({
  id: 'barge-in',
  context: NOTHING_YET,
  initial: 'quiet',
  states: {
    quiet: { on: { 'agent.ducked': 'alert' } },
    alert: {
      on: { 'agent.unducked': 'quiet', 'sound.began': { target: 'weighing', actions: ['begin', 'listen'] } },
    },
    weighing: {
      type: 'parallel',
      // After every event, when the regions below have taken note of it.
      always: [
        { guard: 'yields', target: 'quiet', actions: 'take' },
        { guard: 'resumes', target: 'quiet', actions: 'dismiss' },
      ],
      on: {
        committed: { target: 'quiet', actions: 'take' },
        discarded: { target: 'quiet', actions: 'forget' },
      },
      states: {
        /** A voice as loud as a turn silences the agent until it is known what it says. */
        playOut: {
          initial: 'playing',
          states: {
            playing: {
              on: { 'sound.heard': { guard: 'isVoiceOfTurn', target: 'paused', actions: 'pause' } },
            },
            paused: {},
          },
        },
        /** Whether the words so far are awaited, and whether those after the sound's end were asked for. */
        words: {
          initial: 'known',
          on: { 'words.came': { actions: 'noteWords' } },
          states: {
            known: {
              on: {
                'sound.heard': [
                  { guard: 'hasEnded', target: 'lastAwaited', actions: 'askForWords' },
                  { guard: 'isDueToAsk', target: 'awaited', actions: ['noteAsked', 'askForWords'] },
                ],
              },
            },
            awaited: {
              on: {
                'words.answered': { target: 'known', actions: 'noteAnswer' },
                'sound.heard': { guard: 'hasEnded', target: 'lastAwaited', actions: 'askForWords' },
              },
            },
            lastAwaited: {
              on: { 'words.answered': { target: 'complete', actions: ['noteAnswer', 'noteAllWords'] } },
            },
            complete: {
              on: {
                // It went on after all.
                'sound.heard': {
                  guard: 'isDueToAsk',
                  target: 'awaitedAgain',
                  actions: ['noteAsked', 'askForWords'],
                },
              },
            },
            awaitedAgain: { on: { 'words.answered': { target: 'complete', actions: 'noteAnswer' } } },
          },
        },
        /** What the ear says. */
        sound: {
          on: { 'sound.heard': { actions: 'noteSound' }, 'sound.over': { actions: 'noteEnd' } },
        },
      },
    },
  },
});
