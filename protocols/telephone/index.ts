/** What all telephone doors share: the call, its speaker, its keys, and the door of carriers that come by WebSocket. */
export type { AnsweredBy, OnMachine } from './answered-by/index.ts';
export { badFrame } from './bad-frame.ts';
export { CallWebhook, signed, WEBHOOK_TIMEOUT_MS } from './call-webhook.ts';
export { CarrierConnection } from './carrier-connection.ts';
export { openCarrierDoor } from './carrier-door.ts';
export type { CallStart, CarrierEvent, Dialect } from './dialect.ts';
export { DEFAULT_DIGITS, DigitCollector, type DigitSettings } from './digits.ts';
export type { LinePace, PhoneLine } from './line.ts';
export { LineSpeaker } from './line-speaker.ts';
export { PhoneCall } from './phone-call.ts';
export { escapedXml, streamUrl, urlsOf, withKeyOfAddress, xmlAnswer } from './request-address.ts';
export { readJson } from './read-json.ts';
