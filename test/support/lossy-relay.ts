/**
 * Packets go through it both ways, and some do not: a line between a caller and a server, on loopback. What is lost
 * follows from the seed and the number of packets that came before.
 */
import { createSocket, type Socket } from 'node:dgram';
import { createRandom } from '../../actors/core/index.ts';

export interface LossyRelay {
  /** To this the caller sends. */
  readonly port: number;
  readonly passed: number;
  readonly lost: number;
  /** What comes waits until the way out is called. */
  hold(): () => void;
  /** From now on the server sees the caller at another address; the old one leads nowhere. */
  move(): Promise<void>;
  close(): void;
}

export interface LossyRelayOptions {
  /** Where the server listens, known when its answer is. */
  readonly serverPort: () => number;
  /** 0–1, of each way. */
  readonly loss: number;
  readonly seed: number;
  /** Of each that comes, lost or not. */
  readonly onPacket?: (packet: Buffer, isOfCaller: boolean) => void;
}

const HOST = '127.0.0.1';

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, HOST, resolve));
  return socket;
}

export async function openLossyRelay(options: LossyRelayOptions): Promise<LossyRelay> {
  const { serverPort, loss, seed, onPacket } = options;
  const near = await bound();
  let far = await bound();
  const random = createRandom(seed);
  const counts = { passed: 0, lost: 0 };
  let callerPort: number | null = null;
  let closed = false;
  let held: (() => void)[] | null = null;
  const pass = (send: () => void) => void (held ? held.push(send) : send());
  const isLost = () => {
    const lost = random.next() < loss;
    counts[lost ? 'lost' : 'passed'] += 1;
    return lost;
  };
  near.on('message', (packet, { port }) => {
    callerPort = port;
    onPacket?.(packet, true);
    if (!isLost()) pass(() => far.send(packet, serverPort(), HOST));
  });
  const back = (packet: Buffer) => {
    onPacket?.(packet, false);
    const port = callerPort;
    if (port !== null && !isLost()) pass(() => near.send(packet, port, HOST));
  };
  far.on('message', back);
  return {
    port: near.address().port,
    get passed() {
      return counts.passed;
    },
    get lost() {
      return counts.lost;
    },
    hold() {
      held = [];
      return () => {
        const waiting = held ?? [];
        held = null;
        for (const send of waiting) send();
      };
    },
    async move() {
      const next = await bound();
      next.on('message', back);
      far.close();
      far = next;
    },
    close() {
      if (closed) return;
      closed = true;
      near.close();
      far.close();
    },
  };
}
