/**
 * Calls told over HTTP, behind the server's keys: `/sip/calls` lists them and makes one, `/sip/calls/ID` ends it,
 * `…/transfer` passes it on; `/rtp/calls` makes
 * one whose signalling is somebody else's.
 */
import { z } from 'zod';
import { RuntimeError } from '../../kernels/errors.ts';
import type { DoorContext } from '../door.ts';
import {
  admissionRefusal,
  errorAnswer,
  type HttpAnswer,
  type HttpRequest,
  jsonAnswer,
} from '../server/socket-server.ts';
import { type BareMediaCalls, bareMediaSchema } from './bare-media.ts';
import type { CallBook } from './call-book.ts';
import { checkedUri } from './outgoing.ts';
import type { PlacedCalls } from './placed-calls.ts';
import type { WarmTransfers } from './warm-transfer.ts';

const MAX_INSTRUCTIONS = 8192;
const callSchema = z.strictObject({
  to: z.string().max(512),
  instructions: z.string().max(MAX_INSTRUCTIONS).optional(),
  on_machine: z.enum(['continue', 'hang_up', 'leave_message']).optional(),
});
const transferSchema = z.strictObject({
  to: z.string().max(512),
  /** What an agent tells the other party first; with it, or with `warm`, the caller waits until that party agrees. */
  announce: z.string().max(MAX_INSTRUCTIONS).optional(),
  warm: z.boolean().optional(),
  accept_key: z
    .string()
    .regex(/^[0-9*#]$/)
    .optional(),
  by: z.enum(['refer', 'bridge']).optional(),
});
const ONE = /^\/sip\/calls\/([\w-]{1,64})$/;
const TRANSFER = /^\/sip\/calls\/([\w-]{1,64})\/transfer$/;

const STATUSES: Readonly<Record<string, number>> = {
  'sip.full': 503,
  'runtime.full': 503,
  'sip.transferring': 409,
  'sip.stranger': 403,
};

export function addCallRoutes(
  { authentication, host }: DoorContext,
  book: CallBook,
  placed: PlacedCalls,
  warm: WarmTransfers,
  bare: BareMediaCalls,
): void {
  const guarded =
    (answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>) => async (request: HttpRequest) => {
      const admission = authentication.admit(request, false);
      if (!admission.ok) return admissionRefusal(admission);
      try {
        return await answer(request);
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        const status = STATUSES[error.code] ?? 400;
        return errorAnswer(status, error.code, error.message);
      }
    };
  host.route(
    ['GET', 'POST'],
    '/sip/calls',
    guarded(request => (request.method === 'POST' ? place(request, placed) : list(book))),
  );
  host.route(
    ['POST'],
    '/rtp/calls',
    guarded(async request => {
      const order = bodyOf(bareMediaSchema, request);
      const { at, id } = await bare.open(order);
      return jsonAnswer(201, { id, external_host: at, format: order.format });
    }),
  );
  host.route(
    ['DELETE'],
    ONE,
    guarded(request => hangUp(request, book)),
  );
  host.route(
    ['POST'],
    TRANSFER,
    guarded(request => transfer(request, book, warm)),
  );
}

async function place(request: HttpRequest, placed: PlacedCalls): Promise<HttpAnswer> {
  const { to, instructions, on_machine: onMachine } = bodyOf(callSchema, request);
  return jsonAnswer(201, { id: await placed.place(to, { instructions, onMachine }) });
}

function list(book: CallBook): HttpAnswer {
  const calls = [...book].map(([id, { answeredBy, direction, isUp, peer, startedAtMs }]) => ({
    ...{ id, direction, peer, state: isUp() ? 'up' : 'ringing', answered_by: answeredBy?.() ?? null },
    started_at: Math.floor(startedAtMs / 1000),
  }));
  return jsonAnswer(200, { calls });
}

function hangUp({ path }: HttpRequest, book: CallBook): HttpAnswer {
  const call = book.get(ONE.exec(path)![1]);
  if (!call) return noCall();
  call.hangUp('the operator hung up');
  return jsonAnswer(200, { ended: true });
}

async function transfer(request: HttpRequest, book: CallBook, warm: WarmTransfers): Promise<HttpAnswer> {
  const { to, announce, accept_key: acceptKey, by, warm: isWarm } = bodyOf(transferSchema, request);
  const id = TRANSFER.exec(request.path)![1];
  if (isWarm || announce !== undefined) {
    const order = { to, announce: announce ?? null, acceptKey: acceptKey ?? null, by: by ?? null };
    const going = warm.begin(id, { ...order, tellsAgent: true });
    if (!going) return noCall();
    const { isDone, reason, by: way } = await going;
    return jsonAnswer(isDone ? 200 : 502, { transferred: isDone, by: way, reason });
  }
  const going = book.get(id)?.transfer(checkedUri(to));
  if (!going) return noCall();
  const { isDone, status } = await going;
  return jsonAnswer(isDone ? 200 : 502, { transferred: isDone, status });
}

const noCall = () => errorAnswer(404, 'call_not_found', 'There is no such call, or it is not up.');

function bodyOf<S extends z.ZodType>(schema: S, { body }: HttpRequest): z.infer<S> {
  try {
    return schema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    const remedy = 'Give JSON like {"to": "sip:desk@192.0.2.7"}.';
    throw new RuntimeError('sip.bad_body', 'That is no order for a call.', {}, remedy);
  }
}
