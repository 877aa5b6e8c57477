export type { ConversationRecord } from './conversation.ts';
export { languageModelActor } from './language-model.ts';
export * from './messages.ts';
export type { Reminder } from './reminder.ts';
