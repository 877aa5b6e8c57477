export * from './chunk-interleaver.ts';
export * from './live.ts';
export * from './messages.ts';
export * from './offline.ts';
export * from './piece.ts';
export * from './sparse-buffer.ts';
export * from './template.ts';
