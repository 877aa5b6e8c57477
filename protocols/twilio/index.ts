export { type TwilioOptions, twilioDoor } from './twilio-door.ts';
