export { asteriskDoor } from './websocket-door.ts';
