/** How a reply that was cut is closed (docs/spec/model.md §6.5), and a call in it (docs/spec/tools.md §5). */
import { ABSENT, CODE_END } from '../../kernels/engine/index.ts';

export type Codes = readonly [number, number, number, number];

/**
 * One step as recorded by the state machine of docs/spec/model.md §1.9; `ABSENT` where it has no text or no acoustics.
 */
export interface Step {
  readonly textId: number;
  readonly codes: Codes;
}

interface CutReply {
  readonly speech: boolean;
  readonly steps: readonly Step[];
  readonly call: readonly Step[];
}

interface Tokens {
  readonly eos: number;
  readonly pause: number;
}

const ABSENT_CODES: Codes = [ABSENT, ABSENT, ABSENT, ABSENT];

/**
 * The step that closes what is kept of a reply's speech; none where it stands closed already, or where there is none.
 * Before a call it is the segment that ends, not the reply.
 *
 * @param next the first step that is not kept
 */
export function closingStep(
  reply: CutReply,
  next: Step | undefined,
  { eos, pause }: Tokens,
): readonly Step[] {
  const last = reply.steps.at(-1);
  const calls = reply.call.length > 0;
  if (!last) return [];
  if (!reply.speech)
    return calls || reply.steps.some(({ textId }) => textId === eos)
      ? []
      : [{ textId: eos, codes: ABSENT_CODES }];
  const isClosed = last.codes[0] === CODE_END && last.textId === ABSENT;
  const end = calls ? pause : eos;
  const hasEnd = (calls ? lastSegment(reply.steps) : reply.steps).some(({ textId }) => textId === end);
  if (hasEnd && isClosed) return [];
  // The acoustics of the last kept frame stand in the step after it; a frame that never got them has none.
  const pairs = last.codes[0] !== CODE_END && next;
  const [, ...acoustics] = pairs ? next.codes : ABSENT_CODES;
  return [{ textId: hasEnd ? ABSENT : end, codes: [CODE_END, ...acoustics] }];
}

/** What ends the calls where the model did not do so itself. */
export function callEnd({ call }: CutReply, { eos }: Tokens): readonly Step[] {
  return call.length === 0 || call.at(-1)!.textId === eos ? [] : [{ textId: eos, codes: ABSENT_CODES }];
}

/** From the step after the last end of a segment that is not the last step. */
function lastSegment(steps: readonly Step[]): readonly Step[] {
  const before = steps.slice(0, -1).findLastIndex(({ codes }) => codes[0] === CODE_END);
  return steps.slice(before + 1);
}
