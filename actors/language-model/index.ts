export type { BatchLimits } from './batch-policy.ts';
export type { ConversationRecord } from './conversation.ts';
export { type LanguageModelDeps, languageModelActor } from './language-model.ts';
export * from './messages.ts';
