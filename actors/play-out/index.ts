export * from './heard-ledger.ts';
export * from './play-out.ts';
export * from './transcript.ts';
