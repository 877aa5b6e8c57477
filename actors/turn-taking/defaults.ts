/** Every delay of turn-taking, in one place (docs/spec/model.md §6.2, §6.3; ARCHITECTURE.md §4). */
import type { SessionSettings, TurnDetection } from '../session-api.ts';

export const DEFAULT_TURN_DETECTION = {
  mode: 'vad',
  threshold: 0.5,
  prefixPaddingMs: 300,
  /** t4 − t2: the report's 600–700 ms. */
  endpointSilenceMs: 650,
  /** t3 − t2. */
  speculateSilenceMs: 200,
  createResponse: true,
  interruptResponse: true,
} satisfies TurnDetection;

export const DEFAULT_SETTINGS: SessionSettings = {
  instructions: '',
  outputModality: 'audio',
  turnDetection: DEFAULT_TURN_DETECTION,
  delivery: { mode: 'burst' },
  truncateAt: 'punctuation',
  maxReplySteps: 4096,
  speechSpeed: 1,
  temperature: 1,
  topK: 1,
  topP: 1,
  repetitionPenalty: 1,
  maxTokensPerPicture: 0,
  babble: {
    repeats: 4,
    loopWords: 8,
    loopMs: 4000,
    unpunctuatedWords: 80,
    spareMs: 4000,
    msPerCharacter: 300,
  },
  tools: [],
  toolChoice: 'auto',
  parallelToolCalls: true,
  toolPolicy: { fillerAfterMs: 400, stopOnBargeIn: true, maxRounds: 8 },
};

export const TURN_DELAYS = {
  /** Speech that makes an onset a turn, within a window: while the agent is silent, */
  turn: { speechMs: 80, windowMs: 200 },
  /** while it speaks (a cough is shorter), */
  bargeIn: { speechMs: 200, windowMs: 400 },
  /** and while it speaks and a model that hears words weighs what was said. */
  weighed: { speechMs: 60, windowMs: 200 },
  /** The words so far are asked for after this much sound, and again and again while it goes on. */
  askForWords: { firstMs: 200, everyMs: 80 },
  /** Audio that does not come any more is taken as silence after this long, */
  audioStallMs: 1000,
  /** and where packets are longer than half a second, when the next one is this late. */
  packetLateMs: 500,
  /** The longest that `interrupted` may last. */
  interruptSettleMs: 1000,
  /** The far end's reports may lag behind the modelled end of play-out by this much. */
  reportGraceMs: 2000,
} as const;

/** Output level while it is undecided whether the user takes the turn. */
export const DUCK_GAIN_DB = -18;
