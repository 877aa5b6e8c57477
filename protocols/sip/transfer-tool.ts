/** The agent's own way to pass a caller on: to nobody but whom the operator named. */
import { defineTool, type Tool } from '../../actors/tools/index.ts';
import type { WarmTransfers } from './warm-transfer.ts';

export interface TransferTarget {
  /** As the model and the caller call it. */
  readonly name: string;
  /** `sip:…` */
  readonly address: string;
}

/** Ringing, telling, and the caller's telephone going there. */
const TIMEOUT_MS = 200_000;
const MAX_ABOUT_CHARS = 500;

export function transferTool(targets: readonly TransferTarget[], warm: Pick<WarmTransfers, 'begin'>): Tool {
  return defineTool({
    name: 'transfer_call',
    description: 'Connects the caller with somebody else, who is told first what it is about.',
    parameters: {
      type: 'object',
      properties: {
        to: { type: 'string', enum: targets.map(({ name }) => name) },
        about: { type: 'string', description: 'What the other party is told of the caller.' },
      },
      required: ['to'],
    },
    effect: 'world',
    timeoutMs: TIMEOUT_MS,
    async run({ to, about }, { sessionId }) {
      const target = targets.find(({ name }) => name === to);
      if (!target) throw new Error('There is nobody of that name to transfer to.');
      const told = typeof about === 'string' && about.trim() ? about.trim().slice(0, MAX_ABOUT_CHARS) : null;
      const announce = told === null ? null : `You announce a caller to a colleague. Say: ${told}`;
      const order = { to: target.address, announce, acceptKey: null, by: null, tellsAgent: false };
      const outcome = await warm.begin(sessionId, order);
      if (!outcome) throw new Error('The call is not up.');
      return { transferred: outcome.isDone, reason: outcome.reason };
    },
  });
}
