export type { ResumableListener } from './resumable-line.ts';
export { ResumableSessions, type Resumption } from './resumable-sessions.ts';
