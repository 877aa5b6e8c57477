export { hasWebRtc } from './libraries.ts';
export type { IceServer, PeerOptions } from './peer.ts';
export { type RunningCalls, type WebRtcOptions, webRtcDoor } from './webrtc-door.ts';
