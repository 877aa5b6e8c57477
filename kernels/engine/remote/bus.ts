/**
 * What carries messages between hosts: subjects, as NATS has them. Messages of one sender to one subject arrive in
 * their order.
 */

export interface BusMessage {
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** Nobody listens to what was sent with this subject as `reply`; `bytes` is empty then. */
  readonly isUnheard: boolean;
}

export interface Bus {
  /** Of one message; longer ones are cut into parts (parts.ts). */
  readonly maxMessageBytes: number;
  /** `reply`: where `isUnheard` is told when nobody listens to `subject`. */
  publish(subject: string, bytes: Uint8Array, reply?: string): void;
  /** A last word of `*` stands for any one. Returns how to stop. */
  subscribe(subject: string, onMessage: (message: BusMessage) => void): () => void;
  close(): Promise<void>;
}

/** What needs time here; `Clock` of the actors is one. */
export interface BusTimers {
  nowMs(): number;
  setTimer(delayMs: number, action: () => void): { cancel(): void };
}
