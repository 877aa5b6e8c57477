/**
 * JSON events of clients, for every protocol that speaks them: bounded, checked by a schema, refused by the name of the
 * field.
 */
export { type Checked, checkSchema, isRecord, parseJson } from './parse.ts';
export { faultType, refusal, wireCode } from './refusal.ts';
