import type { NativeHandle } from './handles.ts';

/** The part of the addon for datagrams (protocols/rtp/datagrams.cpp); on Linux only. */
export interface DatagramKernels {
  /** `onReadable` is called from the event loop while something waits to be read. */
  openDatagrams(onReadable: () => void): NativeHandle;
  /** Writes id and port; returns 0, or the system's error number. `host` is a numeric address. */
  bindDatagram(
    network: NativeHandle,
    host: string,
    port: number,
    receiveBufferBytes: number,
    out: Int32Array,
  ): number;
  closeDatagram(network: NativeHandle, id: number): void;
  /** `host` null: to whom the last one of this socket went. */
  sendDatagram(network: NativeHandle, id: number, bytes: Uint8Array, host: string | null, port: number): void;
  /**
   * Datagrams one behind the other into `out` from `at` on, where 256 KB have room; four numbers a row: id, length,
   * whether it is from whom the one before came, port. Returns how many.
   */
  receiveDatagrams(network: NativeHandle, out: Uint8Array, at: number, rows: Int32Array): number;
  /** The address of the n-th of those that were read last. */
  datagramSource(network: NativeHandle, n: number): string;
}
