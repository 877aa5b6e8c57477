/**
 * uWebSockets.js cannot stop reading from a connection: it takes whatever the kernel has of it, some four megabytes of
 * one that floods, within one turn of the event loop. So the kernel is told to keep less. What a client sends faster
 * than that waits at its own side (RFC 9293 §3.8.6, the window).
 *
 * A connection's window is about this large, so over a line of 100 ms a client still sends some 640 KB a second, ten
 * times its sound.
 */
import { loadAddon } from '../../kernels/native/addon.ts';

const RECEIVE_BUFFER_BYTES = 64 * 1024;

/**
 * Of connections that this process accepts at `port` from now on.
 *
 * @returns false where there are no native kernels or nobody listens; then it stays as the system has it
 */
export function limitReceiveBuffer(port: number, bytes = RECEIVE_BUFFER_BYTES): boolean {
  const addon = loadAddon();
  return typeof addon !== 'string' && addon.limitReceiveBuffer?.(port, bytes) === true;
}
