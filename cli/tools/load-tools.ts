/** Tools of `serve --tools` (docs/tools.md): a module, or an address. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Tool } from '../../actors/session-api.ts';
import { checkTools } from '../../actors/tools/index.ts';
import { httpTools } from './http-tools.ts';
import { toolsOpen } from './tools-open.ts';

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
