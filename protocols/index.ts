export type { Door, DoorContext, DoorLimits, OpenDoor } from './door.ts';
export { type RunningServer, type ServerOptions, startServer } from './start-server.ts';
