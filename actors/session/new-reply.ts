import { Reply } from './reply.ts';
import { generateRequest, type ReplyRequest, replyTools } from './reply-request.ts';
import type { SpeakingDeps } from './speaking-deps.ts';
import type { TurnAccount } from './turn-account.ts';
import type { GenerateRequest } from './user-turn.ts';

/** A new reply, and what to ask the language model for. */
export function newReply(
  { model, newId, offered, settings, write }: SpeakingDeps,
  account: TurnAccount,
  options: ReplyRequest,
): { readonly reply: Reply; readonly request: GenerateRequest } {
  const current = settings();
  const modality = options.outputModality ?? current.outputModality;
  const generationId = newId('gen');
  const responseId = options.responseId ?? newId('resp');
  const identity = { generationId, responseId, itemId: newId('item'), modality, account };
  const tools = offered(options);
  const told = tools && replyTools(tools, current.parallelToolCalls);
  const spoken = { ...identity, speed: current.speechSpeed };
  const reply = new Reply(spoken, model.codeFrameMs, current.babble, told);
  return { reply, request: generateRequest(reply, options, current, write, tools) };
}
