export { createEngine } from './create-engine.ts';
export * from './engine.ts';
export { opsOf } from './ops-of.ts';
export * from './positions.ts';
