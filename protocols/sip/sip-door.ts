/**
 * The door for telephones and PBXs that speak SIP: listeners of its own, calls that come and go, and a registration
 * where one is asked for.
 */
import { readFileSync } from 'node:fs';
import type { Random } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Door, DoorContext, OpenDoor } from '../door.ts';
import { type DatagramNetwork, type HostPort, PaceWheel, PortPool, type PortRange } from '../rtp/index.ts';
import type { DigitSettings } from '../telephone/index.ts';
import { admission, peerList } from './admission.ts';
import { type Credentials, Gatekeeper } from './digest.ts';
import { BareMediaCalls } from './bare-media.ts';
import { CallBook } from './call-book.ts';
import { type CallCodecs, callCodecs } from './call-codecs.ts';
import { addCallRoutes } from './call-routes.ts';
import type { SipCodec } from './codecs.ts';
import { IncomingCalls } from './incoming.ts';
import { hostForPeers, isWildcard } from './local-host.ts';
import { mediaMaker } from './media-maker.ts';
import { type Resolve, resolveUri } from './next-hop.ts';
import { checkedUri } from './outgoing.ts';
import { PlacedCalls } from './placed-calls.ts';
import { Referrals } from './referrals.ts';
import { Registration } from './registration.ts';
import { streamTransport } from './stream-transport.ts';
import type { FlowTarget, SipProtocol, SipTransport } from './transport.ts';
import { type TransferTarget, transferTool } from './transfer-tool.ts';
import { udpTransport } from './udp-transport.ts';
import { UserAgent } from './user-agent.ts';
import { WarmTransfers } from './warm-transfer.ts';

export interface SipDoorOptions {
  /** At least one. */
  readonly listeners: readonly FlowTarget[];
  /** Addresses and networks that may call without a password; this machine always may. */
  readonly peers: readonly string[];
  /** Who may call from elsewhere. */
  readonly users: readonly Credentials[];
  /** How the outside reaches this machine; null: as this machine sees itself. */
  readonly publicHost: string | null;
  readonly codecs: readonly SipCodec[];
  readonly rtpPorts: PortRange | null;
  readonly maxCalls: number;
  readonly callsPerSecond: number;
  readonly register: { readonly address: string; readonly password: string } | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** To whom the agent itself may transfer callers; absent: to nobody, and it has no tool for it. */
  readonly transferTargets?: readonly TransferTarget[];
  readonly digits: DigitSettings;
  readonly network: DatagramNetwork;
  /** Unpredictable: tags and sources of a call are its keys. */
  readonly random: Random;
  readonly randomBytes: (count: number) => Buffer;
  readonly resolve?: Resolve;
  /** Told of each turn of the wheel that paces all calls: how late it was, and for how many of them. */
  readonly onPaced?: (lateMs: number, calls: number) => void;
  /** Told once it listens. */
  readonly onListening?: (protocol: SipProtocol, at: HostPort) => void;
}

const LOOPBACK = /^(?:::1|127\.|localhost$)/;

/**
 * Errors: `sip.peers_required` beyond loopback without peers and users, `sip.tls_files`, `sip.bad_peer`,
 * `sip.no_codec`, `net.bind`.
 */
export function sipDoor(options: SipDoorOptions): Door {
  return {
    name: 'sip',
    async open(context): Promise<OpenDoor> {
      check(options);
      const codecs = await callCodecs(options.codecs, why => {
        context.log.warn({ why }, 'SIP calls have no Opus: libopus-wasm is not installed.');
      });
      const { agent, bare, book, placed } = assemble(options, context, codecs);
      const warm = new WarmTransfers(context, book, placed);
      addCallRoutes(context, book, placed, warm, bare);
      const { transferTargets = [] } = options;
      if (transferTargets.length > 0) context.switchboard.tools = [transferTool(transferTargets, warm)];
      const registration: Registration[] = [];
      try {
        for (const at of options.listeners) {
          const transport = await listen(at, options, agent, context);
          agent.addTransport(transport);
          options.onListening?.(transport.protocol, transport.local);
        }
        if (options.register) {
          const address = checkedUri(options.register.address);
          registration.push(
            new Registration({ agent, address, credentials: credentialsOf(options.register) }),
          );
        }
      } catch (error) {
        await agent.close();
        throw error;
      }
      return {
        async close() {
          for (const call of book.values()) call.hangUp('the server is closing');
          for (const one of registration) await one.close();
          await agent.close();
        },
      };
    },
  };
}

function assemble(options: SipDoorOptions, context: DoorContext, codecs: CallCodecs) {
  const { clock, log, unixTimeMs } = context;
  const { listeners, network, peers, publicHost, random, randomBytes, rtpPorts, users } = options;
  const [{ host }] = listeners;
  const hostFor = hostForPeers(host, publicHost);
  const isPeer = peerList(peers);
  const nowMs = () => clock.nowMs();
  const gatekeeper = users.length > 0 ? new Gatekeeper('longcat-rt', users, randomBytes(32), nowMs) : null;
  const wheel = new PaceWheel(clock);
  wheel.onTurn = options.onPaced ?? null;
  const pool = new PortPool(network, host, rtpPorts);
  const makeMedia = mediaMaker({
    ...{ pool, wheel, clock, unixTimeMs, hostFor, randomBytes },
    codecs: async () => codecs,
    random: random.split('media'),
  });
  const agent: UserAgent = new UserAgent({
    ...{ clock, log, hostFor },
    random: random.split('sip'),
    resolve: options.resolve ?? resolveUri,
    admit: admission({ clock, isPeer, gatekeeper }),
    onInvite: transaction => void incoming.invite(transaction),
  });
  const { digits, maxCalls, callsPerSecond } = options;
  const book = new CallBook(maxCalls);
  const us = { from: options.register?.address ?? null, credentials: credentialsOf(options.register) };
  const referrals = new Referrals({ context, agent, makeMedia, isPeer, callsPerSecond, ...us });
  const shared = { context, agent, book, makeMedia, digits, referrals };
  const incoming = new IncomingCalls({ ...shared, callsPerSecond });
  const placed = new PlacedCalls({ ...shared, ...us });
  const bare = new BareMediaCalls({ context, book, makeMedia, digits, isPeer });
  return { agent, bare, book, placed };
}

async function listen(
  at: FlowTarget,
  options: SipDoorOptions,
  agent: UserAgent,
  { clock }: DoorContext,
): Promise<SipTransport> {
  if (at.protocol === 'UDP') return udpTransport(options.network, at, agent);
  const { peers, tlsCert, tlsKey, users } = options;
  const isPeer = peerList(peers);
  const admits = (host: string) => users.length > 0 || isPeer(host);
  const isTls = at.protocol === 'TLS';
  // Both are there: it was checked.
  const tls = isTls ? { cert: readFileSync(tlsCert!), key: readFileSync(tlsKey!) } : null;
  return streamTransport({ at, isTls, tls, clock, admits }, agent);
}

function credentialsOf(register: SipDoorOptions['register']): Credentials | null {
  if (!register) return null;
  const { address, password } = register;
  return { user: address.replace(/^sips?:/i, '').split('@')[0], password };
}

function check({ listeners, peers, tlsCert, tlsKey, users }: SipDoorOptions): void {
  peerList(peers);
  for (const { host, protocol } of listeners) {
    if (protocol === 'TLS' && !(tlsCert && tlsKey)) {
      const remedy = 'Give `tlsCert` and `tlsKey`, or listen with TCP.';
      throw new RuntimeError('sip.tls_files', 'SIP over TLS needs a certificate and its key.', {}, remedy);
    }
    const isOpen = isWildcard(host) || !LOOPBACK.test(host);
    if (isOpen && peers.length === 0 && users.length === 0) {
      const message = 'Beyond loopback it must be said who may call.';
      throw new RuntimeError('sip.peers_required', message, { host }, 'Set `sipPeers` or `sipUsers`.');
    }
  }
}
