/**
 * The life of one tool call that runs in this process (docs/spec/tools.md §4). `free`: the tool has no effect; `bound`:
 * it has one.
 *
 *                    propose.free ──► running ahead ── result ──► ready ── commit ──► settled
 *   (decoded, t3)  ┤                     └─ commit ──► running ──────────── result ────┘
 *                    propose.bound ─► recorded ── commit (t4) / run ──► running
 *
 *   rollback, before t4: forgotten, whatever comes later. barge-in: `cancelled` for a tool without effect, where the
 *   policy says so; one with an effect runs on.
 *
 * `run`: now. `settle`: its outcome goes into the context. `abort`: nobody wants the result. `cancel`: its outcome is
 * that it was cancelled. `provisional`: the conversation goes on without the result, and the context says so until it
 * comes.
 */
import { setup } from 'xstate';

export type ToolCallEvent =
  /** The model has written all of it, before t4, */
  | { readonly type: 'propose.free' }
  | { readonly type: 'propose.bound' }
  /** t4, or decoded after it. */
  | { readonly type: 'commit' }
  /** The user went on. */
  | { readonly type: 'rollback' }
  | { readonly type: 'result' }
  /** The user took the turn; a tool without effect stops, or goes on all the same. */
  | { readonly type: 'barge-in.stop' }
  | { readonly type: 'barge-in' }
  | { readonly type: 'session.ended' };

export const callMachine = setup({
  types: { events: {} as ToolCallEvent },
  actions: { run: () => {}, settle: () => {}, abort: () => {}, cancel: () => {}, provisional: () => {} },
}).createMachine({
  id: 'call',
  initial: 'decoded',
  states: {
    decoded: {
      on: {
        'propose.free': { target: 'runningAhead', actions: 'run' },
        'propose.bound': 'recorded',
      },
    },
    /** Nothing of it has happened. */
    recorded: {
      on: {
        commit: { target: 'bound', actions: 'run' },
        rollback: 'forgotten',
        'session.ended': 'forgotten',
      },
    },
    runningAhead: {
      on: {
        result: 'ready',
        commit: 'free',
        rollback: { target: 'forgotten', actions: 'abort' },
        'session.ended': { target: 'forgotten', actions: 'abort' },
      },
    },
    /** The result waits for t4. */
    ready: {
      on: {
        commit: { target: 'settled', actions: 'settle' },
        rollback: 'forgotten',
        'session.ended': 'forgotten',
      },
    },
    free: {
      on: {
        result: { target: 'settled', actions: 'settle' },
        'barge-in.stop': { target: 'cancelled', actions: ['abort', 'cancel'] },
        'barge-in': { actions: 'provisional' },
        'session.ended': { target: 'forgotten', actions: 'abort' },
      },
    },
    /** It runs to its end, also when nobody is there any more. */
    bound: {
      on: {
        result: { target: 'settled', actions: 'settle' },
        'barge-in.stop': { actions: 'provisional' },
        'barge-in': { actions: 'provisional' },
        'session.ended': 'forgotten',
      },
    },
    settled: {},
    cancelled: {},
    forgotten: {},
  },
});
