import type { PhoneLine } from './line.ts';

/** A line as the agent has it: while the caller waits, what it says goes nowhere, and no mark of it is ever reached. */
export function mutedLine(line: PhoneLine, isMuted: () => boolean): PhoneLine {
  return {
    get format() {
      return line.format;
    },
    play: frame => {
      if (!isMuted()) line.play(frame);
    },
    ...(line.mark && {
      mark: (name: string) => {
        if (!isMuted()) line.mark?.(name);
      },
    }),
    ...(line.clear && { clear: () => line.clear?.() }),
    hangUp: reason => line.hangUp(reason),
  };
}
