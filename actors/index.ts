export { createRuntime, DEFAULT_LIMITS, type RuntimeOptions } from './runtime.ts';
export * from './session-api.ts';
