/** What a socket's callback throws is its connection's own end, not the process's. */
import type { Connection, ConnectionListener } from '../connection.ts';

const CLOSE_FAILED = 1011;

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
