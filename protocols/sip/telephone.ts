/** A telephone that calls: the user agent without a door, for tests, demonstrations and calls of the server's own. */
import type { Logger } from '../../actors/core/logger.ts';
import type { Random } from '../../actors/core/index.ts';
import type { Timers } from '../guard/index.ts';
import { type DatagramNetwork, PaceWheel, PortPool } from '../rtp/index.ts';
import { parseUri } from './address.ts';
import { type CallCodecs, callCodecs } from './call-codecs.ts';
import type { CallEnd } from './call-end.ts';
import type { CallMedia } from './call-media.ts';
import type { SipCodec } from './codecs.ts';
import type { Credentials } from './digest.ts';
import { hostForPeers } from './local-host.ts';
import { type MediaMaker, mediaMaker } from './media-maker.ts';
import { protocolOf, type Resolve, resolveUri } from './next-hop.ts';
import { checkedUri, OutgoingCall } from './outgoing.ts';
import { streamTransport } from './stream-transport.ts';
import { udpTransport } from './udp-transport.ts';
import { UserAgent } from './user-agent.ts';

export interface TelephoneOptions {
  readonly clock: Timers;
  readonly log: Logger;
  readonly unixTimeMs: () => number;
  readonly random: Random;
  readonly randomBytes: (count: number) => Buffer;
  readonly network: DatagramNetwork;
  readonly codecs: readonly SipCodec[];
  /** Where it is; absent: any address of this machine, any port. */
  readonly host?: string;
  readonly resolve?: Resolve;
  /** SRTP or nothing. */
  readonly isSecure?: boolean;
  /** False: keys go in the sound. */
  readonly offersKeys?: boolean;
  /** Certificates of TLS are not looked at. */
  readonly trustAll?: boolean;
}

export interface DialOptions {
  readonly target: string;
  readonly from: string;
  readonly credentials: Credentials | null;
  readonly end: (media: CallMedia) => CallEnd;
  readonly onRinging?: () => void;
  readonly onEnded: (reason: string) => void;
}

export class Telephone {
  readonly #agent: UserAgent;
  readonly #makeMedia: MediaMaker;
  readonly #options: TelephoneOptions;

  constructor(options: TelephoneOptions) {
    const {
      clock,
      codecs,
      host = '0.0.0.0',
      isSecure,
      log,
      network,
      offersKeys,
      random,
      randomBytes,
      unixTimeMs,
    } = options;
    this.#options = options;
    const hostFor = hostForPeers(host, null);
    const wheel = new PaceWheel(clock);
    const pool = new PortPool(network, host, null);
    let known: Promise<CallCodecs> | null = null;
    const rest = { pool, wheel, clock, unixTimeMs, hostFor, randomBytes, isSecure, offersKeys };
    this.#makeMedia = mediaMaker({
      ...rest,
      codecs: () => (known ??= callCodecs(codecs)),
      random: random.split('media'),
    });
    this.#agent = new UserAgent({
      ...{ clock, log, hostFor },
      random: random.split('sip'),
      resolve: options.resolve ?? resolveUri,
      // It calls and is not called.
      admit: () => ({ ok: false, answer: null }),
      onInvite: () => {},
    });
  }

  /** Errors: `sip.bad_address`, `sip.unknown_host`, `sip.unreachable`, `sip.no_codec`, `rtp.no_ports`. */
  async dial({ target, from, credentials, end, onRinging, onEnded }: DialOptions): Promise<OutgoingCall> {
    const uri = parseUri(checkedUri(target))!;
    const hop = (await this.#options.resolve?.(uri)) ?? (await resolveUri(uri));
    await this.#listen(protocolOf(uri));
    const flow = await this.#agent.flowTo(hop);
    const media = await this.#makeMedia(flow.remote);
    const listener = end(media);
    const call: OutgoingCall = new OutgoingCall({
      ...{ agent: this.#agent, target, from, credentials, flow, media, onRinging },
      end: listener,
      onEnded: (_call, reason) => onEnded(reason),
    });
    const fault = (error: unknown) => {
      this.#options.log.error({ err: error }, 'A call failed.');
      call.hangUp('internal error');
    };
    media.attach(listener, reason => call.hangUp(reason), fault);
    return call;
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  async #listen(protocol: 'UDP' | 'TCP' | 'TLS'): Promise<void> {
    const { clock, host = '0.0.0.0', network, trustAll } = this.#options;
    const at = { host, port: 0 };
    this.#agent.addTransport(
      protocol === 'UDP'
        ? await udpTransport(network, at, this.#agent)
        : await streamTransport(
            {
              at,
              tls: null,
              listens: false,
              trustAll,
              clock,
              isTls: protocol === 'TLS',
              admits: () => false,
            },
            this.#agent,
          ),
    );
  }
}
