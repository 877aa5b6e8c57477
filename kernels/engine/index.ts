export { componentsOf, streamOfComponent } from './component-modules.ts';
export { createEngine, type EngineOptions } from './create-engine.ts';
export type { ToolTemplate } from '../tokenizer/tool-template.ts';
export * from './engine.ts';
export * from './lifecycle.ts';
export { fastestEngine, opsOf } from './ops-of.ts';
export { PartlyFailed } from './partly-failed.ts';
export { kindsOf, type Places } from './place.ts';
export * from './positions.ts';
