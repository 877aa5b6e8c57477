export { plain, writeCard } from './card.ts';
export { codecRows, HEARING_SUITES, hearingRows, pictureRows } from './components.ts';
export { CONVERSATION_SUITES, conversationRows } from './conversations.ts';
export type { Judged } from './converse.ts';
export { type Material, openMaterial, SHIPPED_MATERIAL } from './material.ts';
export { checkNeeds, missingForEval } from './needs.ts';
export { routingRows } from './routing.ts';
export type { Row } from './score.ts';
