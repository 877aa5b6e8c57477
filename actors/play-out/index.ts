export * from './heard-ledger.ts';
export * from './messages.ts';
export * from './play-out.ts';
export * from './play-out-actor.ts';
export * from './speaker.ts';
export * from './transcript.ts';
