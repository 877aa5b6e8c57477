/** Genesys Cloud's AudioHook (docs/spec/protocols.md §3). */
export { type GenesysOptions, genesysDoor } from './genesys-door.ts';
