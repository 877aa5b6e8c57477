export { vonageDoor } from './vonage-door.ts';
