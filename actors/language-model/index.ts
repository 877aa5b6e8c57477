export type { ConversationRecord } from './conversation.ts';
export { languageModelActor } from './language-model.ts';
export * from './messages.ts';
