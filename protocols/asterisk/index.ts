export { type AudioSocketOptions, audioSocketDoor } from './audio-socket-door.ts';
export { asteriskDoor } from './websocket-door.ts';
