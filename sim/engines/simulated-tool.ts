import { type Clock, normal, type Random } from '../../actors/core/index.ts';
import { defineTool, type Tool } from '../../actors/index.ts';
import type { Scenario } from '../scenarios/schema.ts';
import { TOOL_NAME } from './call-script.ts';
import { answerAfter } from './clock-answer.ts';

const MS = 1000;
const CHARACTERS_PER_TOKEN = 4;

/** A tool that takes its time and answers something of a length; how often it ran, and for nothing. */
export class SimulatedTool {
  readonly tool: Tool;
  runs = 0;
  aborted = 0;

  constructor(
    { effect, resultTokens, takesS }: NonNullable<Scenario['tools']>,
    clock: Clock,
    random: Random,
  ) {
    const result = 'x'.repeat(resultTokens * CHARACTERS_PER_TOKEN);
    this.tool = defineTool({
      name: TOOL_NAME,
      effect,
      run: (_given, { key, signal }) => {
        this.runs += 1;
        signal.addEventListener('abort', () => void (this.aborted += 1));
        // By the call, so that one that runs again takes as long as before.
        const seconds = takesS.median * Math.exp(normal(random.split(key), 0, takesS.sigma));
        return answerAfter(clock, Math.min(takesS.max, seconds) * MS, () => result);
      },
    });
  }
}
