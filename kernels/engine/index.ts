export * from './engine.ts';
export * from './positions.ts';
