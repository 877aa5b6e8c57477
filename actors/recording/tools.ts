/**
 * Tools in a recording. What the model is told of them is data; what they give is an input like what the engine
 * answers, so a replay gets the same answers at the same moments, and nothing is done again.
 */
import type { SessionCommand, SessionSettings, Tool, ToolDeclaration } from '../session-api.ts';
import { isTool, messageOf, ToolCrash, toldResult } from '../tools/index.ts';
import type { RecordedToolOutcome, ToolAsk } from './format.ts';
import type { Recorder } from './recorder.ts';

interface WithTools {
  readonly tools?: readonly ToolDeclaration[] | undefined;
}

type ChangeTools = <T extends WithTools>(of: T) => T;

/** Answers what a tool is asked, with what a recording can hold. */
export type AnswerAsk = (ask: ToolAsk) => Promise<RecordedToolOutcome>;

/** Tools that were made to write down what they give. */
const WATCHED = new WeakSet<Tool>();

/** The same tools; what they are asked and what they give goes into the books. */
export function recordedTools(tools: readonly Tool[], recorder: Recorder): readonly Tool[] {
  return tools.map(tool => recordedTool(tool, recorder));
}

function recordedTool(tool: Tool, recorder: Recorder): Tool {
  if (WATCHED.has(tool)) return tool;
  const recorded = (ask: ToolAsk, answer: () => unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      recorder.ask(ask, outcomeOf(ask.what, answer), outcome => settle(outcome, resolve, reject));
    });
  const { happened } = tool;
  const watched: Tool = {
    ...tool,
    run: (given, context) => recorded(runOf(tool, given), () => tool.run(given, context)),
    ...(happened && { happened: key => recorded(happenedOf(tool, key), () => happened.call(tool, key)) }),
  };
  WATCHED.add(watched);
  return watched;
}

/** All of a recording are asked in one place. */
function replayedTool(tool: Tool, answer: AnswerAsk): Tool {
  const replayed = async (ask: ToolAsk): Promise<unknown> => {
    const outcome = await answer(ask);
    return new Promise((resolve, reject) => settle(outcome, resolve, reject));
  };
  return {
    ...tool,
    run: given => replayed(runOf(tool, given)),
    happened: tool.happened && (key => replayed(happenedOf(tool, key))),
  };
}

const runOf = ({ name: tool }: Tool, given: unknown): ToolAsk => ({
  ...{ tool, what: 'run', given: JSON.stringify(given) },
});
const happenedOf = ({ name: tool }: Tool, key: string): ToolAsk => ({ tool, what: 'happened', given: key });

async function outcomeOf(what: ToolAsk['what'], answer: () => unknown): Promise<RecordedToolOutcome> {
  try {
    const result = await answer();
    return { output: what === 'happened' && result === null ? null : toldResult(result) };
  } catch (error) {
    return error instanceof ToolCrash ? { crash: error.message } : { error: messageOf(error) };
  }
}

function settle(
  outcome: RecordedToolOutcome,
  resolve: (output: string | null) => void,
  reject: (error: Error) => void,
): void {
  if ('output' in outcome) resolve(outcome.output);
  else reject('crash' in outcome ? new ToolCrash(outcome.crash) : new Error(outcome.error));
}

/** Without what cannot be written down. */
export const packTools: ChangeTools = of => changed(of, isTool, packTool);

/** That there is a way to ask is told; what it does is not held. */
export function packTool(tool: Tool): Record<string, unknown> {
  return { ...tool, run: undefined, happened: tool.happened && true };
}

/** What ran in the process, from what a recording holds of it. */
export function unpackTool(packed: object, answer: AnswerAsk): Tool {
  return replayedTool(packed as Tool, answer);
}

export const unpackTools =
  (answer: AnswerAsk): ChangeTools =>
  of =>
    changed(of, wasTool, tool => unpackTool(tool, answer));

/** With tools that write down what they give. */
export const watchTools =
  (recorder: Recorder): ChangeTools =>
  of =>
    changed(of, isTool, tool => recordedTool(tool as Tool, recorder));

function changed<T extends WithTools>(
  of: T,
  runs: (tool: ToolDeclaration) => boolean,
  change: (tool: Tool) => unknown,
): T {
  if (!of.tools?.some(runs)) return of;
  return { ...of, tools: of.tools.map(tool => (runs(tool) ? change(tool as Tool) : tool)) };
}

/** The command, with the tools that it brings changed. */
export function withTools(command: SessionCommand, change: ChangeTools): SessionCommand {
  if (command.type === 'settings.update') {
    const settings: Partial<SessionSettings> = change(command.settings);
    return settings === command.settings ? command : { ...command, settings };
  }
  if (command.type !== 'response.create' || !command.options) return command;
  const options = change(command.options);
  return options === command.options ? command : { ...command, options };
}

/** Every tool that runs has one, and no other. */
const wasTool = (tool: ToolDeclaration): boolean => 'effect' in tool;
