/** What another transport of the GPT-Live protocol needs of it. */
export type { LiveContext, LiveTrack } from './call-options.ts';
export type { LiveCalls } from './calls.ts';
export { type ChannelPermissions, channelPermissions, typeOf } from './channel-permissions.ts';
export { type ResponsesEndpoint, responsesEndpoint } from './delegation/index.ts';
export { LiveConnection } from './live-connection.ts';
export type { LineOutlet } from './output-line.ts';
export type { SidebandEventType } from './server-events.ts';
export { resolveConfig, type SessionFields } from './session-config.ts';
