/** Tools of `serve --tools` (docs/tools.md): a module, or an address. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Tool } from '../../actors/session-api.ts';
import { checkTools } from '../../actors/tools/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { httpTools } from './http-tools.ts';

/** Errors `tools.open`, `tool.invalid`. */
export async function loadTools(source: string): Promise<readonly Tool[]> {
  const tools = /^https?:\/\//.test(source) ? await httpTools(source) : await moduleTools(source);
  checkTools(tools);
  return tools;
}

async function moduleTools(path: string): Promise<readonly Tool[]> {
  const module = await import(pathToFileURL(resolve(path)).href).catch(error => {
    throw toolsOpen(path, error instanceof Error ? error.message : String(error));
  });
  const tools = module.default ?? module.tools;
  if (!Array.isArray(tools)) throw toolsOpen(path, 'it exports no array of tools');
  return tools;
}

export function toolsOpen(source: string, cause: string): RuntimeError {
  const remedy =
    'Give a module that exports an array of tools, or an address that lists them (docs/tools.md).';
  return new RuntimeError('tools.open', 'The tools cannot be loaded.', { source, cause }, remedy);
}
