import type { Positions } from '../../kernels/engine/index.ts';
import { generationHeader, type Piece, systemTurn } from '../chunk-interleaver/index.ts';
import type { ResponseOptions, SessionSettings } from '../session-api.ts';
import { callBegin, toolsTurn } from '../tools/index.ts';
import type { OfferedTools } from './offered-tools.ts';
import type { ReplyIdentity, ReplyTools } from './reply.ts';
import type { GenerateRequest } from './user-turn.ts';

/** Options of its own, and the name that the client gives it. */
export type ReplyRequest = Partial<ResponseOptions> & {
  readonly responseId?: string | undefined;
  /** It goes on from what tools gave. */
  readonly afterResults?: boolean;
};

/** Of one reply. */
const MAX_CALLS = 16;

/** What the language model is asked for; `options` are this reply's own. */
export function generateRequest(
  { generationId, itemId, modality }: ReplyIdentity,
  options: Partial<ResponseOptions>,
  settings: SessionSettings,
  write: (itemId: string, pieces: readonly Piece[]) => Positions,
  tools: OfferedTools | null,
): GenerateRequest {
  const { temperature, topK, topP, repetitionPenalty } = settings;
  const maxSteps = options.maxReplySteps ?? settings.maxReplySteps;
  const own = tools && tools.own.length > 0 ? toolsTurn(tools.own, tools.template) : [];
  const instructions = options.instructions ? systemTurn(options.instructions) : [];
  const forced = tools && forcedCall(tools);
  const begun: Piece[] =
    tools && forced ? [{ kind: 'text', text: callBegin(tools.template, forced.name) }] : [];
  return {
    generationId,
    itemId,
    header: write(itemId, [...own, ...instructions, generationHeader(modality), ...begun]),
    options: {
      ...{ speech: modality === 'audio', maxSteps, temperature, topK, topP, repetitionPenalty },
      ...(tools && { callBegin: tools.beginId }),
      ...(forced && { startsInCall: true }),
    },
  };
}

export function replyTools(tools: OfferedTools, parallel: boolean): ReplyTools {
  const { all, template } = tools;
  return { offered: all, template, forced: forcedCall(tools), maxCalls: parallel ? MAX_CALLS : 1 };
}

/** The beginning of the call that the reply has to make, with a name or without; null: it may say what it likes. */
function forcedCall({ all, choice }: OfferedTools): { readonly name: string } | null {
  // Where there is only one the model need not choose, and cannot name one that it was taught and is not told of.
  if (choice === 'required') return { name: all.length === 1 ? all[0].name : '' };
  return typeof choice === 'object' ? choice : null;
}
