import { ABSENT, CODE_END, CODE_PAD, CODEBOOKS, type Positions } from '../../engine/positions.ts';

/** One generated step as it is recorded: a text id and four code ids, each may be `ABSENT`. */
export interface GeneratedStep {
  readonly text: number;
  readonly codes: readonly [number, number, number, number];
}

interface GenerationTokens {
  readonly eos: number;
  readonly pause: number;
  /** The text id that begins a tool call (docs/spec/tools.md §2); null or absent: none does. */
  readonly callBegin?: number | null;
  /** Ids that mean something in a call only: where one is written outside it, the reply is over. */
  readonly inCalls?: readonly number[];
}

/**
 * Where a reply is. `dense`: text and semantic codes together (S0 of docs/spec/model.md §1.9); `speech`: codes only
 * (S1); `text`: a reply without speech; `call`: a tool call, which is text without speech; `ended`: the last step is
 * recorded and must not be fed.
 */
export interface GenerationState {
  readonly phase: 'dense' | 'speech' | 'text' | 'call' | 'ended';
  /** Steps taken inside the phase. */
  readonly step: number;
  /** The segment being spoken is the last one. */
  readonly final: boolean;
}

export interface GenerationTransition {
  readonly state: GenerationState;
  readonly record: GeneratedStep;
  /** What the language model reads next (decode rule of docs/spec/model.md §1.6); null at the end. */
  readonly feedback: Positions | null;
  readonly end: boolean;
}

/**
 * ```
 *            </pause> or </longcat_s>              semantic end, final
 *   dense ───────────────────────────► speech ──────────────────────► ended
 *     ▲                                  │
 *     └────── semantic end ──────────────┘          text ── </longcat_s> ──► ended
 *
 *   dense, text ── begin of a call ──► call ── </longcat_s> ──► ended
 *   dense, text ── a tag of calls where none may begin: as </longcat_s> ──►
 * ```
 */
export function startGeneration(mode: 'speech' | 'text' | 'call'): GenerationState {
  return { phase: mode === 'speech' ? 'dense' : mode, step: 0, final: false };
}

/**
 * One step of docs/spec/model.md §1.9: the candidates of docs/spec/model.md §1.8 become what is recorded and fed back.
 *
 * @param state before the step; not `ended`
 */
export function advanceGeneration(
  state: GenerationState,
  candidate: GeneratedStep,
  tokens: GenerationTokens,
): GenerationTransition {
  const { state: next, record } = recordCandidate(state, candidate, tokens);
  const end = next.phase === 'ended';
  return { state: next, record, feedback: end ? null : feedbackPositions(record), end };
}

/** The same without what is fed back, for whoever keeps the positions himself. */
export function recordCandidate(
  state: GenerationState,
  candidate: GeneratedStep,
  tokens: GenerationTokens,
): Pick<GenerationTransition, 'state' | 'record'> {
  const { phase, step } = state;
  const strays = tokens.inCalls?.includes(candidate.text) && candidate.text !== tokens.callBegin;
  if (strays && (phase === 'text' || phase === 'dense')) {
    if (step === 0) return { state: ENDED, record: { text: tokens.eos, codes: NO_CODES } };
    return recordCandidate(state, { ...candidate, text: tokens.eos }, tokens);
  }
  const next = nextState(state, candidate, tokens);
  return { state: next, record: recordOf(state, next, candidate) };
}

const ENDED: GenerationState = { phase: 'ended', step: 0, final: true };
const NO_CODES = [ABSENT, ABSENT, ABSENT, ABSENT] as const;

function nextState(
  state: GenerationState,
  { text, codes }: GeneratedStep,
  tokens: GenerationTokens,
): GenerationState {
  const { phase, step, final } = state;
  const callBegins = text === tokens.callBegin && (phase === 'text' || phase === 'dense');
  if (callBegins) return { phase: 'call', step: 0, final: true };
  switch (phase) {
    case 'call':
    case 'text':
      return text === tokens.eos
        ? { phase: 'ended', step: 0, final: true }
        : { phase, step: step + 1, final };
    case 'dense':
      // The semantic end is not examined here: a segment always closes its text first.
      if (text === tokens.pause) return { phase: 'speech', step: 0, final: false };
      if (text === tokens.eos) return { phase: 'speech', step: 0, final: true };
      return { phase, step: step + 1, final };
    case 'speech':
      if (codes[0] !== CODE_END) return { phase, step: step + 1, final };
      return final ? { phase: 'ended', step: 0, final } : { phase: 'dense', step: 0, final };
    case 'ended':
      return state;
  }
}

function recordOf(before: GenerationState, after: GenerationState, candidate: GeneratedStep): GeneratedStep {
  // Nothing of a call is ever heard: what the heads say there belongs to no sound.
  if (before.phase === 'text' || before.phase === 'call' || after.phase === 'call')
    return { text: candidate.text, codes: NO_CODES };
  const text = before.phase === 'speech' ? ABSENT : candidate.text;
  // The acoustics of a segment's first step belong to no frame.
  const isFirstOfSegment = after.phase === 'dense' && after.step === 1;
  const codes = isFirstOfSegment ? ([candidate.codes[0], ABSENT, ABSENT, ABSENT] as const) : candidate.codes;
  return { text, codes };
}

/** A recorded step as the language model reads it right after generating it. */
function feedbackPositions({ text, codes }: GeneratedStep): Positions {
  return {
    textIds: Int32Array.of(text),
    codes: Int32Array.from(codes),
    features: new Float32Array(0),
    rule: 'decode',
  };
}

/** Steps of an earlier reply as prompt positions (docs/spec/model.md §1.7): what is absent becomes a pad. */
export function historyPositions(steps: readonly GeneratedStep[], textPad: number): Positions {
  const padded = (id: number, pad: number) => (id === ABSENT ? pad : id);
  const codes = new Int32Array(steps.length * CODEBOOKS);
  steps.forEach((step, n) => {
    codes.set(
      step.codes.map(code => padded(code, CODE_PAD)),
      n * CODEBOOKS,
    );
  });
  return {
    textIds: Int32Array.from(steps, step => padded(step.text, textPad)),
    codes,
    features: new Float32Array(0),
  };
}
