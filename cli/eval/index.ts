export { plain, writeCard } from './card.ts';
export { codecRows, HEARING_SUITES, hearingRows, pictureRows } from './components.ts';
export { CONVERSATION_SUITES, conversationRows } from './conversations.ts';
export type { Judged } from './converse.ts';
export { checkJudge } from './judge.ts';
export { type Material, openMaterial } from './material.ts';
export { routingRows } from './routing.ts';
export type { Row } from './score.ts';
