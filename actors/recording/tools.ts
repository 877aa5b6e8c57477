/** Tools of this process in a recording: what the model was told of them. What they do is not held. */
import type { SessionCommand, SessionSettings, ToolDeclaration } from '../session-api.ts';
import { isTool } from '../tools/index.ts';

interface WithTools {
  readonly tools?: readonly ToolDeclaration[] | undefined;
}

/** Without what cannot be written down. */
export function packTools<T extends WithTools>(of: T): T {
  if (!of.tools?.some(isTool)) return of;
  return { ...of, tools: of.tools.map(tool => (isTool(tool) ? { ...tool, ...NO_CODE } : tool)) };
}

/** What ran in the process runs again, and has nothing to give. */
export function unpackTools<T extends WithTools>(of: T): T {
  if (!of.tools?.some(wasTool)) return of;
  return { ...of, tools: of.tools.map(tool => (wasTool(tool) ? { ...tool, ...NOT_HELD } : tool)) };
}

export function packToolsOf(command: SessionCommand): SessionCommand {
  return withTools(command, packTools);
}

export function unpackToolsOf(command: SessionCommand): SessionCommand {
  return withTools(command, unpackTools);
}

function withTools(command: SessionCommand, change: <T extends WithTools>(of: T) => T): SessionCommand {
  if (command.type === 'settings.update') {
    const settings: Partial<SessionSettings> = change(command.settings);
    return settings === command.settings ? command : { ...command, settings };
  }
  if (command.type !== 'response.create' || !command.options) return command;
  const options = change(command.options);
  return options === command.options ? command : { ...command, options };
}

const NO_CODE = { run: undefined, happened: undefined };
const NOT_HELD = {
  run: () => {
    throw new Error('A recording does not hold its tools.');
  },
};
/** Every tool that runs has one, and no other. */
const wasTool = (tool: ToolDeclaration): boolean => 'effect' in tool;
