/**
 * werift 0.24.4 and a caller whose network changes:
 *
 * - it goes on sending to the first address that was agreed on, also where the caller, who decides (RFC 8445 §8), has
 *   chosen another: a telephone that leaves its WLAN heard nothing more;
 * - an ICE restart forgets the way there at once, and what is sent until there is another is lost, where the old one
 *   should be used meanwhile (RFC 8445 §9); checks on the old one are answered with the new password;
 * - what was asked on the old way and is answered late would be the way again;
 * - and where the keys stand already, nothing looks for another: `start` has to be called.
 *
 * What comes in is heard throughout. A browser says which way it has chosen up to 2.5 s after it has taken it; a packet
 * of the call from elsewhere says it at once, and we answer there as soon as the caller has proved to be there.
 */

type IceAddress = readonly [host: string, port: number];

/** One of our sockets. */
interface IceSocket {
  sendData(data: Buffer, to: IceAddress): Promise<void>;
  /** Absent: that of a relay, which its server holds. */
  datagramReceived?(data: Buffer, from: IceAddress): void;
}

interface IcePair {
  readonly state: number;
  nominated: boolean;
  readonly remoteAddr: IceAddress;
  readonly protocol: IceSocket;
}

interface BindingCheck {
  readonly attributesKeys: readonly string[];
  readonly transactionIdHex: string;
  getAttributeValue(name: string): unknown;
  /** For the library's log. */
  toJSON(): unknown;
}

/** What of the library's agent is looked at; not part of its public face. */
interface IceAgent {
  readonly iceControlling: boolean;
  nominated: IcePair | undefined;
  readonly protocols: readonly IceSocket[];
  /** Another list after a restart. */
  readonly checkList: readonly IcePair[];
  readonly localUsername: string;
  readonly remoteUsername: string;
  readonly localPassword: string;
  /** Passwords by their names; absent: of the names before any restart. */
  readonly userHistory: Record<string, string>;
  restart(): Promise<void>;
  send(data: Buffer): Promise<void>;
  checkComplete(pair: IcePair): void;
  checkIncoming(check: BindingCheck, from: IceAddress, socket: IceSocket): void;
}

export interface IceTransport {
  readonly state: string;
  readonly connection: unknown;
}

/** Addresses that are asked whether the caller is there because something came from them. */
const MAX_ASKED = 32;
/** RFC 7983 §7: below are STUN and what else is no packet of the call. */
const FIRST_OF_MEDIA = 20;
/** Of a candidate that a packet came from (RFC 8445 §5.1.2.1: peer reflexive). */
const PRIORITY = 110 * 2 ** 24;

/** Of a pair's states: its check was answered with the password. */
const SUCCEEDED = 3;

const followed = new WeakSet<object>();

/** Once our sockets are there. */
export function followChanges({ connection }: IceTransport): void {
  const agent = connection as IceAgent;
  if (followed.has(agent)) return;
  followed.add(agent);
  agent.userHistory[agent.localUsername] = agent.localPassword;
  const { checkComplete, checkIncoming, restart, send } = agent;
  /** While there is no new one. */
  let before: IcePair | undefined;
  const asked = new Set<string>();
  /** Where the last packet from elsewhere came from. */
  let elsewhere: IceAddress | undefined;

  const came = (data: Buffer, from: IceAddress, socket: IceSocket) => {
    const { nominated } = agent;
    if (agent.iceControlling || nominated?.protocol !== socket) return;
    if (data[0] < FIRST_OF_MEDIA || isSame(nominated.remoteAddr, from)) return;
    const name = from.join(' ');
    if (asked.has(name) || asked.size >= MAX_ASKED) return;
    asked.add(name);
    elsewhere = from;
    checkIncoming.call(agent, askedFor(agent), from, socket);
  };
  for (const socket of agent.protocols) {
    const { datagramReceived } = socket;
    if (!datagramReceived) continue;
    socket.datagramReceived = (data, from) => {
      came(data, from, socket);
      datagramReceived.call(socket, data, from);
    };
  }

  agent.checkIncoming = (check, from, socket) => {
    // Of before the restart: it has its answer, and would be checked with credentials that are no more.
    const [name] = String(check.getAttributeValue('USERNAME')).split(':');
    if (name === agent.localUsername) checkIncoming.call(agent, check, from, socket);
  };
  agent.checkComplete = pair => {
    // Begun before the restart and answered only now: it says nothing of the ways there are.
    if (!agent.checkList.includes(pair)) return;
    if (elsewhere && pair.state === SUCCEEDED && isSame(pair.remoteAddr, elsewhere)) {
      elsewhere = undefined;
      pair.nominated = true;
    }
    if (pair.nominated && agent.nominated !== pair) agent.nominated = undefined;
    checkComplete.call(agent, pair);
    if (!agent.nominated) return;
    before = undefined;
    // What was under way there when another was chosen calls nobody back.
    asked.add(agent.nominated.remoteAddr.join(' '));
  };
  agent.restart = async () => {
    before = agent.nominated ?? before;
    await restart.call(agent);
  };
  agent.send = async data => {
    if (before && !agent.nominated) await before.protocol.sendData(data, before.remoteAddr);
    else await send.call(agent, data);
  };
}

const isSame = (a: IceAddress, b: IceAddress) => a[0] === b[0] && a[1] === b[1];

/** As if the caller had asked from there: the library then asks back. */
function askedFor({ localUsername, remoteUsername }: IceAgent): BindingCheck {
  const attributes: Record<string, unknown> = {
    USERNAME: `${localUsername}:${remoteUsername}`,
    PRIORITY,
  };
  return {
    attributesKeys: Object.keys(attributes),
    transactionIdHex: '',
    getAttributeValue: name => attributes[name],
    toJSON: () => attributes,
  };
}
