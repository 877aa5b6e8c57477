/** Which tools a reply may call, and how it is told of them. */
import type { ModelDescription, Tokenizer, ToolTemplate } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { ResponseOptions, SessionSettings, Tool, ToolChoice, ToolDeclaration } from '../session-api.ts';
import { callBegin, defineTool, isTool } from '../tools/index.ts';

export interface OfferedTools {
  readonly template: ToolTemplate;
  readonly all: readonly ToolDeclaration[];
  /** Of them, those that only this reply is told of. */
  readonly own: readonly ToolDeclaration[];
  readonly choice: ToolChoice;
  /** The text id that begins a call. */
  readonly beginId: number;
}

interface Source {
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  /** Of this process. */
  readonly here: readonly Tool[];
}

/** What the session's system turn tells of; empty where the model was taught no tools, or may use none. */
export function toldTools(
  { model, here }: Source,
  { tools, toolChoice }: SessionSettings,
): readonly ToolDeclaration[] {
  if (!model.toolTemplate || toolChoice === 'none') return [];
  return [...here, ...tools];
}

/** Null: it may call none. */
export function offeredTools(
  source: Source,
  settings: SessionSettings,
  request: Partial<ResponseOptions> & { readonly afterResults?: boolean },
): OfferedTools | null {
  const { model, tokenizer } = source;
  const template = model.toolTemplate;
  const choice = request.toolChoice ?? settings.toolChoice;
  if (!template || choice === 'none') return null;
  const told = toldTools(source, settings);
  const own = (request.tools ?? []).filter(({ name }) => !told.some(other => other.name === name));
  const all = [...told, ...own];
  if (all.length === 0) return null;
  // After results the model goes on as it likes, or it would call for ever.
  const isForced = request.afterResults !== true || choice === 'auto';
  const wanted = isForced ? choice : 'auto';
  return { template, all, own, choice: wanted, beginId: tokenizer.encode(callBegin(template))[0] };
}

/** Errors `tool.duplicate`, `tool.unknown`, and `tool.invalid` of those that run here. */
export function checkSessionTools(here: readonly Tool[], { tools, toolChoice }: SessionSettings): void {
  const names = new Set(here.map(({ name }) => name));
  for (const tool of tools) {
    const { name } = tool;
    if (isTool(tool)) defineTool(tool);
    if (names.has(name))
      throw new RuntimeError(
        'tool.duplicate',
        'There is a tool of this name already.',
        { name },
        'Rename one of them.',
      );
    names.add(name);
  }
  if (typeof toolChoice === 'object' && !names.has(toolChoice.name))
    throw new RuntimeError(
      'tool.unknown',
      'There is no tool of this name.',
      { name: toolChoice.name },
      'Add it to the tools.',
    );
}
