export { createEngine } from './create-engine.ts';
export * from './engine.ts';
export { fastestEngine, opsOf } from './ops-of.ts';
export * from './positions.ts';
