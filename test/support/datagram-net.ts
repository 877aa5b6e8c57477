/** A network of datagrams in memory, by the clock, that delays, loses, doubles and swaps as it is told. */
import type { Clock } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { DatagramNetwork, DatagramSocket, HostPort, OnDatagram } from '../../protocols/rtp/index.ts';

/** When each copy of a datagram arrives, in milliseconds from now; none: it is lost. */
export type Fate = (from: HostPort, to: HostPort, bytes: Uint8Array) => readonly number[];

export class DatagramNet implements DatagramNetwork {
  fate: Fate = () => [5];
  readonly #clock: Clock;
  readonly #sockets = new Map<string, OnDatagram>();
  #nextPort = 40_000;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get open(): number {
    return this.#sockets.size;
  }

  async bind({ host, port }: HostPort, onDatagram: OnDatagram): Promise<DatagramSocket> {
    const local = { host, port: port === 0 ? this.#nextPort++ : port };
    const key = `${host}:${local.port}`;
    if (this.#sockets.has(key)) throw new RuntimeError('net.bind', 'Taken.', { ...local });
    this.#sockets.set(key, onDatagram);
    return {
      local,
      send: (bytes, to) => {
        if (this.#sockets.get(key) !== onDatagram) return;
        const copy = Buffer.from(bytes);
        for (const delayMs of this.fate(local, to, copy))
          this.#clock.setTimer(delayMs, () => this.#sockets.get(`${to.host}:${to.port}`)?.(copy, local));
      },
      close: () => {
        if (this.#sockets.get(key) === onDatagram) this.#sockets.delete(key);
      },
    };
  }
}
