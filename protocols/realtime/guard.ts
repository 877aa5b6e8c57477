/**
 * What one connection's code throws is that connection's own end and nobody else's: not the process's, which a throw out of
 * a timer or a socket's callback would be.
 */
import type { Clock, Timer } from '../../actors/core/clock.ts';
import type { Connection, ConnectionListener } from '../server/socket-server.ts';

/** The part of the clock that a connection needs. */
export type Timers = Pick<Clock, 'nowMs' | 'setTimer'>;

/** The clock, whose callbacks of this owner may throw. */
export function guardedTimers(clock: Clock, onFault: (error: unknown) => void): Timers {
  const guarded = (callback: () => void) => () => {
    try {
      callback();
    } catch (error) {
      onFault(error);
    }
  };
  return {
    nowMs: () => clock.nowMs(),
    setTimer: (delayMs: number, callback: () => void): Timer => clock.setTimer(delayMs, guarded(callback)),
  };
}

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
    onBinary: () => guard(() => listener?.onBinary()),
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
