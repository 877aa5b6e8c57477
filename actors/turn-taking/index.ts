export * from './defaults.ts';
export * from './endpoint.ts';
export * from './interruption.ts';
export * from './machine.ts';
export * from './messages.ts';
export * from './presets.ts';
export * from './turn-taking.ts';
