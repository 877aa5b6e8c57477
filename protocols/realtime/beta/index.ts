export { type BetaFields, fromBetaSession } from './from-beta.ts';
export { toBetaParam, toBetaSession } from './to-beta.ts';
export { WireShape } from './wire-shape.ts';
