/** SIP: a user agent of its own (docs/spec/sip.md §1), and the door that puts the agent at its end. */
export type { CallEnd } from './call-end.ts';
export type { CallMedia } from './call-media.ts';
export type { OutgoingCall } from './outgoing.ts';
export { type SipDoorOptions, sipDoor } from './sip-door.ts';
export { Telephone } from './telephone.ts';
