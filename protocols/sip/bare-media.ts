/**
 * Calls of which we have the sound alone: somebody else does the signalling, as an application of Asterisk's ARI with
 * its externalMedia (docs/spec/protocols.md §6). It asks for a place to send sound to; what comes there is the call.
 */
import { z } from 'zod';
import { RuntimeError } from '../../kernels/errors.ts';
import type { DoorContext } from '../door.ts';
import { guardedTimers } from '../guard/index.ts';
import type { DigitSettings } from '../telephone/index.ts';
import { shownHost } from './address.ts';
import { agentEnd } from './agent-end.ts';
import type { CallBook } from './call-book.ts';
import type { MediaMaker } from './media-maker.ts';
import { sdpOf } from './offer-answer.ts';
import { Seat } from './seat.ts';

/** By Asterisk's names, with the types and names of RTP (RFC 3551). */
const FORMATS = {
  ulaw: { type: 0, name: 'PCMU' },
  alaw: { type: 8, name: 'PCMA' },
  g722: { type: 9, name: 'G722' },
} as const;
/** Until sound has come nobody knows its port; RFC 863 is where nothing is missed. */
const NOWHERE_PORT = 9;

export const bareMediaSchema = z.strictObject({
  /** From where sound will come: an address. */
  host: z.string().regex(/^[\d.]{7,15}$|^[\da-f:.]{2,45}$/i),
  format: z.enum(['ulaw', 'alaw', 'g722']).default('ulaw'),
  from: z.string().max(256).optional(),
  to: z.string().max(256).optional(),
  instructions: z.string().max(8192).optional(),
});

export interface BareMediaOptions {
  readonly context: DoorContext;
  readonly book: CallBook;
  readonly makeMedia: MediaMaker;
  readonly digits: DigitSettings;
  readonly isPeer: (host: string) => boolean;
}

export class BareMediaCalls {
  readonly #options: BareMediaOptions;

  constructor(options: BareMediaOptions) {
    this.#options = options;
  }

  /** Errors: `sip.stranger`, `sip.full`, `sip.no_codec`, `rtp.no_ports`, those of `Runtime.openSession`. */
  async open(order: z.infer<typeof bareMediaSchema>): Promise<{ id: string; at: string }> {
    const { book, context, isPeer, makeMedia } = this.#options;
    const { host } = order;
    if (!isPeer(host)) {
      const remedy = 'Name it in `sipPeers`.';
      throw new RuntimeError('sip.stranger', 'Sound from there is not taken.', { host }, remedy);
    }
    if (book.isFull || context.readiness.refusal()) {
      const remedy = 'Wait until a call ends, or raise `sipMaxCalls`.';
      throw new RuntimeError('sip.full', 'No more calls are taken.', { calls: book.size }, remedy);
    }
    book.opening += 1;
    try {
      const media = await makeMedia({ host, port: NOWHERE_PORT });
      try {
        return this.#begin(media, order);
      } catch (error) {
        media.close();
        throw error;
      }
    } finally {
      book.opening -= 1;
    }
  }

  #begin(
    media: Awaited<ReturnType<MediaMaker>>,
    { format, from, host, instructions, to }: z.infer<typeof bareMediaSchema>,
  ): { id: string; at: string } {
    const { book, context, digits } = this.#options;
    if (!media.answer(sdpOf(description(host, FORMATS[format]))!))
      throw new RuntimeError(
        'sip.no_codec',
        'That sound is not spoken here.',
        { format },
        'See `sipCodecs`.',
      );
    const seat = new Seat(media, () => book.delete(seat.id));
    const hangUp = (reason: string) => {
      media.close();
      end.hungUp(reason);
      seat.ended(end);
      context.log.info({ call: id, reason, ...media.session.stats }, 'A call of bare sound ended.');
    };
    const fault = (error: unknown) => {
      context.log.error({ err: error }, 'A call failed.');
      hangUp('internal error');
    };
    const clock = guardedTimers(context.clock, fault);
    const { end, id } = agentEnd({
      ...{ context, clock, digits, seat, about: { from, to } },
      ...(instructions !== undefined && { instructions }),
    });
    let isOver = false;
    const once = (reason: string) => {
      if (isOver) return;
      isOver = true;
      hangUp(reason);
    };
    media.attach(end, once, fault);
    media.apply();
    seat.sitsIn({ hangUp: once, sip: () => null });
    book.set(id, {
      ...{ direction: 'in', peer: from ?? host, startedAtMs: context.unixTimeMs() },
      hangUp: once,
      isUp: () => true,
      hold: async () => {},
      transfer: () => null,
    });
    const [, port] = /^m=audio (\d+)/m.exec(media.offer())!;
    return { id, at: `${shownHost(media.localHost)}:${port}` };
  }
}

function description(host: string, { name, type }: { readonly name: string; readonly type: number }): Buffer {
  const address = `IN IP${host.includes(':') ? 6 : 4} ${host}`;
  const types = `a=rtpmap:${type} ${name}/8000\r\na=rtpmap:101 telephone-event/8000`;
  return Buffer.from(
    `v=0\r\no=- 0 0 ${address}\r\ns=-\r\nc=${address}\r\nt=0 0\r\n` +
      `m=audio ${NOWHERE_PORT} RTP/AVP ${type} 101\r\n${types}\r\na=sendrecv\r\n`,
  );
}
