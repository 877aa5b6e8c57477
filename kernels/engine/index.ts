export { createEngine, type EngineOptions, streamOfComponent } from './create-engine.ts';
export type { ToolTemplate } from '../tokenizer/tool-template.ts';
export * from './engine.ts';
export * from './lifecycle.ts';
export { fastestEngine, opsOf } from './ops-of.ts';
export * from './positions.ts';
