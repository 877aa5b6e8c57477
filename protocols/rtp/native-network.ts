/**
 * The machine's UDP through the addon (datagrams.cpp): hundreds of sockets are one handle of the event loop, what came
 * for all of them is read together, and an address crosses into JavaScript only when it is another. Node's own sockets
 * take three times as long for a packet there and back, most of it in arrays and requests of their own for each.
 */
import { getSystemErrorName } from 'node:util';
import type { DatagramKernels } from '../../kernels/native/datagram-kernels.ts';
import type { NativeHandle } from '../../kernels/native/handles.ts';
import {
  cannotBind,
  type DatagramNetwork,
  type DatagramSocket,
  type HostPort,
  type OnDatagram,
  plain,
  RECEIVE_BUFFER_BYTES,
  sameHostPort,
} from './network.ts';

/** Read in one turn of the event loop: what is due by the clock must not wait for more. */
const MOST_AT_ONCE = 32;
/** Of a row: socket, length, whether it is from whom the one before came, port. */
const COLUMNS = 4;
/** What the addon wants to have room for before it reads a socket. */
const ROOM_BYTES = 256 * 1024;
const SLAB_BYTES = 2 * ROOM_BYTES;

interface BoundSocket {
  readonly hear: OnDatagram;
  /** From whom the last one came. */
  from: HostPort;
}

const NOBODY: HostPort = { host: '', port: 0 };

export class NativeNetwork implements DatagramNetwork {
  readonly #addon: DatagramKernels;
  readonly #handle: NativeHandle;
  readonly #listeners = new Map<number, BoundSocket>();
  readonly #rows = new Int32Array(COLUMNS * MOST_AT_ONCE);
  /** What was read lies here one behind the other; no place is used twice, so that it can be kept. */
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #at = 0;

  constructor(addon: DatagramKernels) {
    this.#addon = addon;
    this.#handle = addon.openDatagrams(() => this.#receive());
  }

  async bind(local: HostPort, hear: OnDatagram): Promise<DatagramSocket> {
    const out = new Int32Array(2);
    const { host, port } = local;
    const failed = this.#addon.bindDatagram(this.#handle, host, port, RECEIVE_BUFFER_BYTES, out);
    if (failed !== 0) throw cannotBind(local, getSystemErrorName(-failed));
    const [id, boundPort] = out;
    this.#listeners.set(id, { hear, from: NOBODY });
    return this.#socket(id, { host, port: boundPort });
  }

  #socket(id: number, local: HostPort): DatagramSocket {
    const addon = this.#addon;
    const handle = this.#handle;
    let isOpen = true;
    let last = NOBODY;
    return {
      local,
      send(bytes, to) {
        if (!isOpen || to.port <= 0) return;
        const isSame = to === last || sameHostPort(to, last);
        last = to;
        addon.sendDatagram(handle, id, bytes, isSame ? null : to.host, to.port);
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#listeners.delete(id);
        addon.closeDatagram(handle, id);
      },
    };
  }

  #receive(): void {
    if (this.#slab.length - this.#at < ROOM_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#at = 0;
    }
    const rows = this.#rows;
    const slab = this.#slab;
    let at = this.#at;
    const count = this.#addon.receiveDatagrams(this.#handle, slab, at, rows);
    const failures: unknown[] = [];
    for (let n = 0; n < count; n++) {
      const [row, length] = [COLUMNS * n, rows[COLUMNS * n + 1]];
      const bytes = slab.subarray(at, at + length);
      at += length;
      const listener = this.#listeners.get(rows[row]);
      // One before it may have closed this one's socket.
      if (!listener) continue;
      if (rows[row + 2] === 0)
        listener.from = { host: plain(this.#addon.datagramSource(this.#handle, n)), port: rows[row + 3] };
      try {
        listener.hear(bytes, listener.from);
      } catch (error) {
        failures.push(error);
      }
    }
    this.#at = at;
    // As if it had come alone: what was read behind it has been heard.
    if (failures.length > 0) throw failures[0];
  }
}
