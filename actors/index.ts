export { type ComponentFault, type ComponentRecovery, notServing, type RuntimeHealth } from './health.ts';
export type { Reminder } from './language-model/index.ts';
export { DEFAULT_MEMORY, type Memory, type Summarise } from './memory.ts';
export { createRuntime, DEFAULT_LIMITS, type RuntimeOptions } from './runtime.ts';
export * from './session-api.ts';
export { type Keeps, keepsFacts } from './session/keeping.ts';
export { defineTool, ToolCrash } from './tools/index.ts';
