export { type ComponentFault, type ComponentRecovery, notServing, type RuntimeHealth } from './health.ts';
export { DEFAULT_MEMORY, type Memory } from './memory.ts';
export { createRuntime, DEFAULT_LIMITS, type RuntimeOptions } from './runtime.ts';
export * from './session-api.ts';
export { type Keeps, keepsFacts } from './session/keeping.ts';
export { defineTool, ToolCrash } from './tools/index.ts';
