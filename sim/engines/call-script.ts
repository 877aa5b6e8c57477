/** Tool calls of a modelled engine: one tool without arguments, written in as many steps as a call takes. */
import type { ToolTemplate } from '../../kernels/engine/index.ts';

export interface CallLaw {
  /** Of the replies to a person, those that begin with a call. */
  readonly share: number;
  /** What is said before it, while it is waited for. */
  readonly saysWords: number;
  /** Steps that writing it takes, at least `LEAST_CALL_TOKENS`. */
  readonly tokens: number;
}

export const LEAST_CALL_TOKENS = 2;
export const TOOL_NAME = 'look';
export const CALL_BEGIN = 1003;
const CALL_PART = 1004;
const CALL_END = 1005;
const BEGIN_TAG = '<longcat_tool_call>';
const END_TAG = '</longcat_tool_call>';

/** Of docs/spec/tools.md; what is told of a tool is short, as it costs all models the same. */
export const CALL_TEMPLATE: ToolTemplate = {
  tools: { turn: '{}', heading: '', list: 'json', tool: '{name}', separator: ',' },
  call: { call: `${BEGIN_TAG}{name}\n{arguments}${END_TAG}`, argument: '{key}{value}' },
  result: '{}',
};

export const isCallBegin = (text: string): boolean => text === BEGIN_TAG;

/** The text id of a step of the call. */
export function callStep(step: number, tokens: number): number {
  if (step === 0) return CALL_BEGIN;
  return step === tokens - 1 ? CALL_END : CALL_PART;
}

export function callText(id: number): string {
  if (id === CALL_BEGIN) return `${BEGIN_TAG}${TOOL_NAME}\n`;
  return id === CALL_END ? END_TAG : '';
}
