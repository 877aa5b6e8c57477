/** ITU-T P.59 artificial conversation (docs/spec/latency-data.md §4.2): four states with exponential holding times. */
import { exponential, type Random } from '../../actors/core/index.ts';

export type LineState = 'A' | 'B' | 'both' | 'silence';

const HOLDING_S: Readonly<Record<LineState, number>> = { A: 0.854, B: 0.854, both: 0.226, silence: 0.456 };
const TO_SILENCE = 0.6;

/** The states of the line and how long each lasts, without end. */
export function* p59Conversation(
  random: Random,
): Generator<{ readonly state: LineState; readonly seconds: number }> {
  let state: LineState = 'silence';
  for (;;) {
    yield { state, seconds: exponential(random, HOLDING_S[state]) };
    const draw = random.next();
    if (state === 'A' || state === 'B') state = draw < TO_SILENCE ? 'silence' : 'both';
    else state = draw < 0.5 ? 'A' : 'B';
  }
}
