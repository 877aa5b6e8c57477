import type { Positions } from '../../kernels/engine/index.ts';
import { generationHeader, type Piece, systemTurn } from '../chunk-interleaver/index.ts';
import type { ResponseOptions, SessionSettings } from '../session-api.ts';
import type { ReplyIdentity } from './reply.ts';
import type { GenerateRequest } from './user-turn.ts';

/** Options of its own, and the name that the client gives it. */
export type ReplyRequest = Partial<ResponseOptions> & { readonly responseId?: string | undefined };

/** What the language model is asked for; `options` are this reply's own. */
export function generateRequest(
  { generationId, itemId, modality }: ReplyIdentity,
  options: Partial<ResponseOptions>,
  settings: SessionSettings,
  write: (itemId: string, pieces: readonly Piece[]) => Positions,
): GenerateRequest {
  const { temperature, topK, topP, repetitionPenalty } = settings;
  const maxSteps = options.maxReplySteps ?? settings.maxReplySteps;
  const instructions = options.instructions ? systemTurn(options.instructions) : [];
  return {
    generationId,
    itemId,
    header: write(itemId, [...instructions, generationHeader(modality)]),
    options: { speech: modality === 'audio', maxSteps, temperature, topK, topP, repetitionPenalty },
  };
}
