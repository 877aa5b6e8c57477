export { exotelDoor, telnyxDoor } from './stream-door.ts';
