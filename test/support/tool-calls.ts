/**
 * Tools for tests: nano's template, calls as a model writes them, and a tool that takes its time under the virtual
 * clock and keeps books.
 */
import { readFileSync } from 'node:fs';
import type { VirtualClock } from '../../actors/core/index.ts';
import { defineTool, type Tool, ToolCrash, type ToolEffect } from '../../actors/index.ts';
import { writtenCall } from '../../actors/tools/index.ts';
import type { ToolTemplate } from '../../kernels/engine/index.ts';
import type { ScriptedSegment } from './zero-latency-engine.ts';

const FIXTURE = new URL('../fixtures/tool-calls/conversations/case.json', import.meta.url);
export const TOOL_TEMPLATE: ToolTemplate = JSON.parse(readFileSync(FIXTURE, 'utf8')).template;

/** The last segment of a scripted reply. */
export function callSegment(...calls: readonly (readonly [name: string, given?: object])[]): ScriptedSegment {
  const text = calls.map(([name, given = {}]) =>
    writtenCall({ name, arguments: { ...given } }, TOOL_TEMPLATE),
  );
  return { text: text.join(''), frames: 0, call: true };
}

export interface ToolBooks {
  /** Key of each run, when it began. */
  readonly runs: { readonly key: string; readonly atMs: number; readonly given: unknown }[];
  /** Keys of what happened in the world. */
  readonly effects: string[];
  aborted: number;
}

export interface BookedOptions {
  readonly effect: ToolEffect;
  readonly takesMs?: number;
  readonly result?: unknown;
  /** Of the nth run (from 0): breaks down before, or between its effect and its answer. */
  readonly crashes?: (run: number) => 'before' | 'after' | null;
  readonly knowsKeys?: boolean;
  readonly fails?: string;
  readonly timeoutMs?: number;
  readonly parameters?: Tool['parameters'];
}

export function bookedTool(name: string, clock: () => VirtualClock, options: BookedOptions) {
  const {
    crashes,
    effect,
    fails,
    knowsKeys,
    parameters,
    result = { ok: true },
    takesMs = 300,
    timeoutMs,
  } = options;
  const books: ToolBooks = { runs: [], effects: [], aborted: 0 };
  const tool = defineTool({
    ...{ name, effect, parameters, timeoutMs },
    run(given, { key, signal }) {
      const crash = crashes?.(books.runs.length) ?? null;
      books.runs.push({ key, atMs: clock().nowMs(), given });
      signal.addEventListener('abort', () => void (books.aborted += 1));
      return new Promise((resolve, reject) => {
        clock().setTimer(takesMs, () => {
          if (fails) return reject(new Error(fails));
          if (crash === 'before') return reject(new ToolCrash('gone'));
          if (effect === 'world') books.effects.push(key);
          if (crash === 'after') return reject(new ToolCrash('gone'));
          resolve(result);
        });
      });
    },
    ...(knowsKeys && { happened: (key: string) => (books.effects.includes(key) ? result : null) }),
  });
  return { tool, books };
}
