export * from './argument-stream.ts';
export * from './call-reader.ts';
export * from './definition.ts';
export * from './parse-call.ts';
export * from './repair.ts';
export * from './tool.ts';
export * from './tool-runner.ts';
export * from './write-call.ts';
