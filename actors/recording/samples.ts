/** Commands in a recording: their sound is 16-bit where that loses nothing (it came as PCM), else as it is. */

import type { SessionCommand } from '../session-api.ts';
import { type AnswerAsk, packTools, unpackTools, withTools } from './tools.ts';

const SCALE = 32768;

/** A copy: the caller may use its buffer again. */
function packSamples(samples: Float32Array): Int16Array | Float32Array {
  const whole = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    whole[i] = samples[i] * SCALE;
    // −0 would come back as 0.
    if (whole[i] !== samples[i] * SCALE || Object.is(samples[i], -0)) return samples.slice();
  }
  return whole;
}

/** The command with its sound packed, and of its tools what can be written. */
export function packCommand(command: SessionCommand): unknown {
  return command.type === 'audio'
    ? { ...command, samples: packSamples(command.samples) }
    : withTools(command, packTools);
}

/**
 * What `packCommand` made, from a recording that was checked (`call-arguments.ts`). @param answer what its tools are
 * asked
 */
export function unpackCommand(packed: unknown, answer: AnswerAsk): SessionCommand {
  const command = packed as SessionCommand;
  return command.type === 'audio'
    ? { ...command, samples: unpackSamples(command.samples) }
    : withTools(command, unpackTools(answer));
}

function unpackSamples(packed: Int16Array | Float32Array): Float32Array {
  return packed instanceof Int16Array ? Float32Array.from(packed, value => value / SCALE) : packed;
}
