/** Opens a call's media: two ports, an RTP session on them, and who listens to it as soon as somebody does. */
import type { Random } from '../../actors/core/index.ts';
import type { Timers } from '../guard/index.ts';
import { type HostPort, type PaceWheel, type PortPool, RtpSession } from '../rtp/index.ts';
import { CallMedia, type MediaListener } from './call-media.ts';
import { OpusVoice } from '../media/index.ts';
import type { CallCodecs } from './call-codecs.ts';

export interface MediaMakerOptions {
  readonly pool: PortPool;
  readonly wheel: PaceWheel;
  readonly clock: Timers;
  readonly unixTimeMs: () => number;
  readonly random: Random;
  readonly randomBytes: (count: number) => Buffer;
  /** What calls may have; asked when the first begins. */
  readonly codecs: () => Promise<CallCodecs>;
  readonly hostFor: (remote: HostPort) => Promise<string>;
  readonly isSecure?: boolean;
  readonly offersKeys?: boolean;
}

/** For a call with somebody there. Errors: `rtp.no_ports`. */
export type MediaMaker = (remote: HostPort) => Promise<CallMedia>;

export function mediaMaker(options: MediaMakerOptions): MediaMaker {
  const { pool, wheel, clock, unixTimeMs, random, randomBytes, codecs, hostFor, isSecure, offersKeys } =
    options;
  return async remote => {
    const [localHost, { library, names }] = await Promise.all([hostFor(remote), codecs()]);
    const opus = library ? await OpusVoice.of(library) : null;
    const listener: MediaListener = { end: null, hangUp: () => {}, fault: () => {} };
    // What a packet sets off may fail: that is this call's own end.
    const guarded = (action: () => void) => {
      try {
        action();
      } catch (error) {
        listener.fault(error);
      }
    };
    const holder: { session: RtpSession | null } = { session: null };
    const sockets = await pool.take(
      (bytes, from) => guarded(() => holder.session?.onRtp(bytes, from)),
      (bytes, from) => guarded(() => holder.session?.onRtcp(bytes, from)),
    );
    const session = new RtpSession({
      ...{ sockets, wheel, clock, unixTimeMs, random },
      cname: `agent@${localHost}`,
      sink: {
        packet: packet => listener.end?.packet(packet),
        key: key => listener.end?.key(key),
        format: format => listener.end?.format(format),
        quiet: ms => listener.end?.quiet(ms),
        restarted: () => listener.end?.restarted(),
      },
      onMark: (name, atMs) => listener.end?.marked(name, atMs),
      onSilent: () => listener.hangUp('the line is silent'),
      onFault: error => listener.fault(error),
    });
    holder.session = session;
    const id = String(Math.floor(random.next() * 2 ** 48));
    const ours = {
      sockets,
      session,
      listener,
      localHost,
      codecs: names,
      opus,
      id,
      randomBytes,
      isSecure,
      offersKeys,
    };
    return new CallMedia(ours);
  };
}
