/** What a socket's callback throws is its connection's own end, not the process's. */
import type { Connection, ConnectionListener } from '../connection.ts';
import { textOf } from './waiting-texts.ts';

const CLOSE_FAILED = 1011;

/** Hands over a text frame as it came, decoded where the listener wants no bytes. */
export function deliverUtf8(listener: ConnectionListener, text: Uint8Array): void {
  if (listener.onUtf8) listener.onUtf8(text);
  else listener.onText(textOf(text));
}

/** Opens a listener that may throw: its connection is closed with 1011 then, and hears no more. */
export function guardedListener(
  connection: Connection,
  open: () => ConnectionListener,
  onFault: (error: unknown) => void,
): ConnectionListener {
  let failed = false;
  const guard = (action: () => void): void => {
    if (failed) return;
    try {
      action();
    } catch (error) {
      failed = true;
      onFault(error);
      connection.close(CLOSE_FAILED, 'internal error');
    }
  };
  let listener: ConnectionListener | undefined;
  guard(() => {
    listener = open();
  });
  return {
    onText: text => guard(() => listener?.onText(text)),
    onUtf8: text => guard(() => listener && deliverUtf8(listener, text)),
    onBinary: bytes => guard(() => listener?.onBinary(bytes)),
    onClose(code, reason) {
      // Also after a failure: what the listener holds is given back here.
      try {
        listener?.onClose(code, reason);
      } catch (error) {
        onFault(error);
      }
    },
  };
}
