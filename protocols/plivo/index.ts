export { type PlivoOptions, plivoDoor } from './plivo-door.ts';
