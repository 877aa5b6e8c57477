/**
 * A reply from the first decoded step to the last heard sample. What is true of it (its text, its sound, why it ended)
 * is data of the session's; here is which part of its life it is in.
 *
 *   speculative ── deliver ──► delivering ── sent ──► sent ── heard ──► finished
 *        │                        │  └─ cancel ─► cancelled ── heard ─┐
 *        └─ rollback ► rolledBack └──────────── cut ─────────────────┴► stopped
 *
 * `tell`: the outside learns how it ended, which it does once, and of no reply that was never delivered.
 */
import { setup } from 'xstate';

export type ReplyEvent =
  /** t4: the outside learns of it. */
  | { readonly type: 'deliver' }
  /** The speculation was void: as if it had not been. */
  | { readonly type: 'rollback' }
  /** All there is of it has left. */
  | { readonly type: 'sent' }
  /** A client stopped it: it ends with what was sent. */
  | { readonly type: 'cancel' }
  /** It is not heard any further: the user interrupted, or the client has stopped playing it. */
  | { readonly type: 'cut' }
  /** All that was to be heard of it was. */
  | { readonly type: 'heard' };

export const replyMachine = setup({
  types: { events: {} as ReplyEvent },
  actions: { tell: () => {} },
}).createMachine({
  id: 'reply',
  initial: 'speculative',
  states: {
    /** Decoded, and nothing of it shown. */
    speculative: { on: { deliver: 'delivering', rollback: 'rolledBack', cut: 'stopped' } },
    delivering: {
      on: {
        sent: { target: 'sent', actions: 'tell' },
        cancel: { target: 'cancelled', actions: 'tell' },
        cut: { target: 'stopped', actions: 'tell' },
      },
    },
    sent: { on: { heard: 'finished', cut: 'finished' } },
    cancelled: { on: { heard: 'stopped', cut: 'stopped' } },
    finished: {},
    stopped: {},
    rolledBack: {},
  },
});
