/** What another transport of the Realtime protocol needs of it. */
export type { RealtimeMedia, RealtimeTransport } from './media.ts';
export type { SendEvent } from './outbox.ts';
export { PictureDecoder } from './pictures.ts';
export { refusal } from './protocol-error.ts';
export { openRealtime, type RealtimeContext } from './realtime-connection.ts';
export { type SessionFields, sessionFieldsSchema } from './session-fields.ts';
export type { RealtimeState } from './state.ts';
