/**
 * Pairs of ports for calls' media: RTP on the even one, RTCP on the next (RFC 3550 §11). Bounded, and each pair comes
 * back.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { DatagramNetwork, DatagramSocket, OnDatagram } from './network.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface MediaSockets {
  readonly rtp: DatagramSocket;
  readonly rtcp: DatagramSocket;
  /** Once; again does nothing. */
  release(): void;
}

/** Pairs that others hold are passed over, so many at a time. */
const MAX_TRIES = 32;

export class PortPool {
  readonly #network: DatagramNetwork;
  readonly #host: string;
  readonly #range: PortRange | null;
  readonly #taken = new Set<number>();
  readonly #most: number;
  #next: number;
  #open = 0;

  /** `range` null: whatever ports are free, at most `most` pairs of them. */
  constructor(network: DatagramNetwork, host: string, range: PortRange | null, most = 4096) {
    this.#network = network;
    this.#host = host;
    this.#range = range;
    this.#next = range ? range.first + (range.first % 2) : 0;
    this.#most = range ? Math.min(most, Math.floor((range.last - this.#next + 1) / 2)) : most;
  }

  /** Pairs that calls hold. */
  get open(): number {
    return this.#open;
  }

  /** Errors: `rtp.no_ports`. */
  async take(onRtp: OnDatagram, onRtcp: OnDatagram): Promise<MediaSockets> {
    if (this.#open >= this.#most) throw this.#none();
    this.#open += 1;
    try {
      return await this.#pair(onRtp, onRtcp);
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
  }

  async #pair(onRtp: OnDatagram, onRtcp: OnDatagram): Promise<MediaSockets> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const port = this.#candidate();
      const rtp = await this.#bind(port, onRtp);
      const rtcp = rtp && (await this.#bind(port === 0 ? 0 : port + 1, onRtcp));
      if (rtp && rtcp) return this.#leased(port, rtp, rtcp);
      rtp?.close();
      this.#taken.delete(port);
    }
    throw this.#none();
  }

  #bind(port: number, onDatagram: OnDatagram): Promise<DatagramSocket | null> {
    return this.#network.bind({ host: this.#host, port }, onDatagram).catch(error => {
      if (error instanceof RuntimeError) return null;
      throw error;
    });
  }

  /** The next free pair in turn, so that a port rests before it is used again. */
  #candidate(): number {
    if (!this.#range) return 0;
    const { first, last } = this.#range;
    for (let n = 0; n <= last - first; n += 2) {
      const port = this.#next;
      this.#next = port + 3 > last ? first + (first % 2) : port + 2;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      return port;
    }
    throw this.#none();
  }

  #leased(port: number, rtp: DatagramSocket, rtcp: DatagramSocket): MediaSockets {
    let isHeld = true;
    return {
      rtp,
      rtcp,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#open -= 1;
        this.#taken.delete(port);
        rtp.close();
        rtcp.close();
      },
    };
  }

  #none(): RuntimeError {
    const values = { open: this.#open, first: this.#range?.first, last: this.#range?.last };
    return new RuntimeError('rtp.no_ports', 'No ports are free for a call.', values, 'Widen `rtpPorts`.');
  }
}
