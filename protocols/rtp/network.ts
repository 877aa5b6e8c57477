/** Datagrams, from the machine's network or from memory: what SIP and RTP send and hear goes through here. */
import { RuntimeError } from '../../kernels/errors.ts';

/** An address of the network, numeric, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface DatagramSocket {
  /** Where it is bound; port 0 has become a real one. */
  readonly local: HostPort;
  /** Best effort, as the network is. A closed socket ignores it. */
  send(bytes: Uint8Array, to: HostPort): void;
  close(): void;
}

/** Whoever gets the bytes may keep them. */
export type OnDatagram = (bytes: Buffer, from: HostPort) => void;

export interface DatagramNetwork {
  /** Errors: `net.bind` where the port is taken or the address is not this machine's. */
  bind(local: HostPort, onDatagram: OnDatagram): Promise<DatagramSocket>;
}

/** Of one socket: half a second of many calls' packets while the event loop is busy. */
export const RECEIVE_BUFFER_BYTES = 256 * 1024;

export const sameHostPort = (a: HostPort, b: HostPort): boolean => a.port === b.port && a.host === b.host;

/** IPv4 that came in over an IPv6 socket is IPv4. */
export const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** `cause`: the system's name for it. */
export function cannotBind({ host, port }: HostPort, cause: string): RuntimeError {
  const values = { host, port, cause };
  return new RuntimeError('net.bind', 'Cannot listen there.', values, 'Choose another address or port.');
}
