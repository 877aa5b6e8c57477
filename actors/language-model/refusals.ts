/** What a conversation at the language model says no with. */
import { RuntimeError } from '../../kernels/errors.ts';
import { MAX_DEFERRED } from './backlog.ts';

export interface ErrorSummary {
  readonly code: string;
  readonly message: string;
}

export const CONVERSATION_OVER: ErrorSummary = {
  code: 'context.over',
  message: 'The conversation has failed before; it takes no more.',
};

export const BACKLOG: ErrorSummary = {
  code: 'context.backlog',
  message: `More than ${MAX_DEFERRED} inputs wait for a reply to end; this one was refused.`,
};

export function isFull(error: unknown): error is RuntimeError {
  return error instanceof RuntimeError && error.code === 'context.full';
}
