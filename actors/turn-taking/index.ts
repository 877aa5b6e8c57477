export * from './defaults.ts';
export * from './machine.ts';
export * from './messages.ts';
export * from './turn-taking.ts';
