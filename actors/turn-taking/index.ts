export * from './defaults.ts';
export * from './machine.ts';
