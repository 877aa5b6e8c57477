/** A tool that runs in this process, for all sessions (`RuntimeOptions.tools`) or for one (`SessionOptions.tools`). */
import { RuntimeError } from '../../kernels/errors.ts';
import type { JsonSchema, ToolDeclaration } from './definition.ts';

/**
 * `none`: it only reads. It may run at any time, more than once, and its result may be thrown away. `world`: it changes
 * something. It runs at most once a key, and never before the user's turn has ended.
 */
export type ToolEffect = 'none' | 'world';

export interface ToolContext {
  /** `session/turn/call`: the same for the same call whatever happens to its process. */
  readonly key: string;
  /** Of its item in the conversation. */
  readonly callId: string;
  readonly sessionId: string;
  /**
   * Aborted when nobody wants the result any more, or the time is over. A tool with an effect is never aborted but by
   * its own time.
   */
  readonly signal: AbortSignal;
}

/** Of whom a tool is that only passes through this process. */
export interface ToolServer {
  /** What whoever brought the server calls it. */
  readonly label: string;
  /** The tool's name there. */
  readonly name: string;
  /** A person is asked before each call. */
  readonly asks: boolean;
}

export interface Tool extends ToolDeclaration {
  readonly effect: ToolEffect;
  /** Absent: it is this process's own. */
  readonly server?: ToolServer | undefined;
  /** Told to the model when it takes longer; absent: `DEFAULT_TOOL_TIMEOUT_MS`. */
  readonly timeoutMs?: number | undefined;
  /**
   * A string is told to the model as it is, anything else as JSON. What it throws is told as `{"error": …}`: it did not
   * happen. A `ToolCrash` says that nobody knows whether it did.
   */
  run(given: Record<string, unknown>, context: ToolContext): unknown;
  /**
   * After a crash of a tool with an effect: what came of the call with this key; null: it did not happen, and may be
   * run again. Absent: nobody can say.
   */
  happened?(key: string): unknown;
}

/** The tool's process, or the way to it, broke down between its beginning and its answer. */
export class ToolCrash extends Error {}

export const DEFAULT_TOOL_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 600_000;
const NAME = /^[\w.-]{1,64}$/;

/** Checks a tool and gives it back. @throws RuntimeError `tool.invalid` */
export function defineTool(tool: Tool): Tool {
  const { name, effect, timeoutMs = DEFAULT_TOOL_TIMEOUT_MS, run } = tool;
  const remedy = 'See docs/tools.md.';
  const refuse = (message: string, values: Record<string, unknown>) => {
    throw new RuntimeError('tool.invalid', message, values, remedy);
  };
  if (typeof name !== 'string' || !NAME.test(name))
    refuse('The name of a tool is 1–64 letters, digits, “_”, “-” and “.”.', { name });
  // What is not declared may do anything.
  if (effect !== 'none' && effect !== 'world')
    refuse('The effect of a tool is "none" or "world".', { name, effect: effect as unknown });
  if (typeof run !== 'function') refuse('A tool needs a function to run.', { name });
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS))
    refuse('The time limit of a tool is out of range.', { name, timeoutMs, max: MAX_TIMEOUT_MS });
  return tool;
}

/** It runs in this process. */
export function isTool(declaration: ToolDeclaration): declaration is Tool {
  return typeof (declaration as Partial<Tool>).run === 'function';
}

/** Of several, no two with one name. @throws RuntimeError `tool.invalid` */
export function checkTools(tools: readonly Tool[]): void {
  const names = new Set<string>();
  for (const tool of tools) {
    defineTool(tool);
    if (names.has(tool.name))
      throw new RuntimeError('tool.invalid', 'Two tools have one name.', { name: tool.name }, 'Rename one.');
    names.add(tool.name);
  }
}

export type { JsonSchema };
