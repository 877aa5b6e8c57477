/** A person watches telephone calls that are up, and listens to one. */
export { type ListeningOptions, listeningDoor } from './listening-door.ts';
