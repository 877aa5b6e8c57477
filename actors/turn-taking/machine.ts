/**
 * Who has the floor (ARCHITECTURE.md §4). Sees edges only: perception sends what the user does, the session what the
 * reply does.
 *
 *             speech.started          speech.paused           silence.speculate
 *      ┌────┐──────────────►┌────────────┐──────────►┌─────────┐──────────►┌───────────┐
 *      │idle│               │userSpeaking│           │maybeDone│           │speculating│
 *      └────┘◄──┐           └────────────┘◄──────────└─────────┘           └───────────┘
 *        │ ▲    │input.cleared     ▲  ▲   speech.resumed  │ silence.endpoint  │  │ speech.resumed: rollback
 *   reply│ │    └──────────────────│──│───────────────────│───────────────────│──┘
 *requested │playout.finished       │  └ history.truncated │  silence.endpoint │
 *        ▼ │                       │                      ▼                   │
 *      ┌─────────────┐◄────────────│──────────────────────┴───────────────────┘
 *      │agentSpeaking│        ┌───────────┐
 *      └─────────────┘        │interrupted│
 *   speech.onset│ ▲ speech.   └───────────┘
 *               ▼ │ dismissed       ▲
 *             ┌──────┐ speech.started│
 *             │ducked│───────────────┘
 *             └──────┘
 *
 * A speculation whose first step says that the user goes on (`turn.unfinished`) is rolled back to `maybeDone`.
 *
 * While tools that the agent called are at work and nothing of it is to be heard, it is `working`; the results bring it
 * back to `agentSpeaking`.
 *
 * When barge-in is switched off the user may speak beneath the agent; `beneath` remembers it for the end of the reply.
 */
import { assign, setup } from 'xstate';
import { TURN_DELAYS } from './defaults.ts';

export type TurnEvent =
  /** First 20 ms frame of user sound after silence; undecided. */
  | { readonly type: 'speech.onset' }
  /** The onset was nothing. */
  | { readonly type: 'speech.dismissed' }
  | { readonly type: 'speech.started' }
  | { readonly type: 'speech.paused' }
  | { readonly type: 'speech.resumed' }
  /** Silence has lasted until t3. */
  | { readonly type: 'silence.speculate' }
  /** Silence has lasted until t4. */
  | { readonly type: 'silence.endpoint' }
  /** The speculation says that the user goes on. */
  | { readonly type: 'turn.unfinished' }
  /** The buffered user audio was thrown away. */
  | { readonly type: 'input.cleared' }
  /** A client asks for a reply, or for the user's turn to end now. */
  | { readonly type: 'reply.requested' }
  | { readonly type: 'input.committed' }
  /** The reply failed or turned out to be nothing; nothing of it is playing. */
  | { readonly type: 'reply.failed' }
  /** A setting that the speculation was made with has changed. */
  | { readonly type: 'reply.outdated' }
  /** All of every reply is at the far end, which plays it by itself: the next one may follow. */
  | { readonly type: 'reply.sent' }
  /** Everything of the reply was heard, or what was left of it after a cancel. */
  | { readonly type: 'playout.finished' }
  /** The same, but tools that were called have not answered yet. */
  | { readonly type: 'work.waits' }
  /** The results of all calls are in the context: the reply goes on. */
  | { readonly type: 'work.done' }
  /** Nothing follows from the calls any more. */
  | { readonly type: 'work.over' }
  /** The context holds no more than what was heard. */
  | { readonly type: 'history.truncated' }
  | { readonly type: 'policy.changed'; readonly policy: TurnPolicy };

export interface TurnPolicy {
  readonly createResponse: boolean;
  readonly interruptResponse: boolean;
  readonly speculate: boolean;
}

/** What the machine asks of the session; every call is synchronous and must not send events back before it returns. */
export interface TurnEffects {
  /** t3: the tail is appended and decoding starts, its output held. */
  speculate(): void;
  /** The user resumed: as if `speculate` had not been. */
  rollback(): void;
  /** t4: the user's turn becomes an item. */
  endTurn(): void;
  /** Starts the reply, or adopts the speculation, and opens the gate. */
  reply(): void;
  duck(): void;
  unduck(): void;
  /** t5: stop, clear, cut the context to what was heard, then send `history.truncated`. */
  interrupt(): void;
  /** The user takes the turn while tools work: there is nothing to cut. */
  leaveWork(): void;
}

type Beneath = 'silent' | 'speaking' | 'paused';

interface TurnContext {
  readonly effects: TurnEffects;
  readonly policy: TurnPolicy;
  /** The user's state while the agent holds the floor or the interruption settles. */
  readonly beneath: Beneath;
  /** A user turn ended beneath the reply and waits for its own. */
  readonly replyOwed: boolean;
  /** Nothing of any reply is still to be sent. */
  readonly allSent: boolean;
}

export const turnTakingMachine = setup({
  types: {
    context: {} as TurnContext,
    events: {} as TurnEvent,
    input: {} as { readonly effects: TurnEffects; readonly policy: TurnPolicy },
  },
  delays: { interruptSettle: TURN_DELAYS.interruptSettleMs },
  guards: {
    speculates: ({ context }) => context.policy.speculate && context.policy.createResponse,
    replies: ({ context }) => context.policy.createResponse,
    interruptible: ({ context }) => context.policy.interruptResponse,
    replyOwed: ({ context }) => context.replyOwed,
    repliesAtOnce: ({ context }) => context.allSent && context.policy.createResponse,
    interruptionWithdrawn: ({ event }) => event.type === 'policy.changed' && !event.policy.interruptResponse,
    userSpeaks: ({ context }) => context.beneath === 'speaking',
    userPaused: ({ context }) => context.beneath === 'paused',
  },
  actions: {
    speculate: ({ context }) => context.effects.speculate(),
    rollback: ({ context }) => context.effects.rollback(),
    endTurn: ({ context }) => context.effects.endTurn(),
    reply: ({ context }) => context.effects.reply(),
    replySent: assign({ allSent: true }),
    replyBegins: assign({ allSent: false }),
    duck: ({ context }) => context.effects.duck(),
    unduck: ({ context }) => context.effects.unduck(),
    interrupt: ({ context }) => context.effects.interrupt(),
    leaveWork: ({ context }) => context.effects.leaveWork(),
    changePolicy: assign({
      policy: ({ context, event }) => (event.type === 'policy.changed' ? event.policy : context.policy),
      replyOwed: ({ context, event }) =>
        context.replyOwed && (event.type !== 'policy.changed' || event.policy.createResponse),
    }),
    // Who speaks again adds to the turn that waits: one reply answers both.
    userStarts: assign({ beneath: 'speaking' as Beneath, replyOwed: false }),
    userPauses: assign({ beneath: 'paused' as Beneath }),
    userSilent: assign({ beneath: 'silent' as Beneath }),
    oweReply: assign({ replyOwed: ({ context }) => context.policy.createResponse }),
    oweResults: assign({ replyOwed: true }),
    replyPaid: assign({ replyOwed: false }),
  },
}).createMachine({
  id: 'turn-taking',
  context: ({ input: { effects, policy } }) => ({
    ...{ effects, policy, beneath: 'silent', replyOwed: false, allSent: false },
  }),
  initial: 'idle',
  on: { 'policy.changed': { actions: 'changePolicy' }, 'reply.sent': { actions: 'replySent' } },
  states: {
    idle: {
      on: {
        'speech.started': 'userSpeaking',
        'reply.requested': { target: 'agentSpeaking', actions: ['replyBegins', 'reply'] },
        'input.committed': { actions: 'endTurn' },
      },
    },
    userSpeaking: {
      // Whoever takes the floor is not beneath anybody, and is answered once for all that was said before.
      entry: ['userSilent', 'replyPaid'],
      on: {
        'speech.paused': 'maybeDone',
        'silence.endpoint': [
          { guard: 'replies', target: 'agentSpeaking', actions: ['endTurn', 'replyBegins', 'reply'] },
          { target: 'idle', actions: 'endTurn' },
        ],
        'input.cleared': 'idle',
        'input.committed': { target: 'idle', actions: 'endTurn' },
        'reply.requested': { target: 'agentSpeaking', actions: ['endTurn', 'replyBegins', 'reply'] },
      },
    },
    maybeDone: {
      on: {
        'speech.resumed': 'userSpeaking',
        'silence.speculate': { guard: 'speculates', target: 'speculating', actions: 'speculate' },
        'silence.endpoint': [
          { guard: 'replies', target: 'agentSpeaking', actions: ['endTurn', 'replyBegins', 'reply'] },
          { target: 'idle', actions: 'endTurn' },
        ],
        'input.cleared': 'idle',
        'input.committed': { target: 'idle', actions: 'endTurn' },
        'reply.requested': { target: 'agentSpeaking', actions: ['endTurn', 'replyBegins', 'reply'] },
      },
    },
    speculating: {
      on: {
        'speech.resumed': { target: 'userSpeaking', actions: 'rollback' },
        'silence.endpoint': [
          { guard: 'replies', target: 'agentSpeaking', actions: ['endTurn', 'replyBegins', 'reply'] },
          { target: 'idle', actions: ['rollback', 'endTurn'] },
        ],
        'input.cleared': { target: 'idle', actions: 'rollback' },
        'input.committed': { target: 'idle', actions: ['rollback', 'endTurn'] },
        'reply.requested': { target: 'agentSpeaking', actions: ['endTurn', 'replyBegins', 'reply'] },
        'reply.failed': { target: 'maybeDone', actions: 'rollback' },
        'reply.outdated': { target: 'maybeDone', actions: 'rollback' },
        'turn.unfinished': { target: 'maybeDone', actions: 'rollback' },
      },
    },
    agentSpeaking: {
      on: {
        'speech.onset': { guard: 'interruptible', target: 'ducked', actions: 'duck' },
        // Only without barge-in, or when it was switched off and on while the user spoke.
        'speech.started': [
          { guard: 'interruptible', target: 'interrupted', actions: ['userStarts', 'interrupt'] },
          { actions: 'userStarts' },
        ],
        'speech.resumed': { actions: 'userStarts' },
        'speech.paused': { actions: 'userPauses' },
        'silence.endpoint': [
          { guard: 'repliesAtOnce', actions: ['userSilent', 'endTurn', 'replyBegins', 'reply'] },
          { actions: ['userSilent', 'endTurn', 'oweReply'] },
        ],
        'reply.sent': [
          { guard: 'replyOwed', actions: ['replyPaid', 'replyBegins', 'reply'] },
          { actions: 'replySent' },
        ],
        'input.committed': { actions: ['userSilent', 'endTurn'] },
        'input.cleared': { actions: 'userSilent' },
        'reply.requested': { actions: ['replyBegins', 'reply'] },
        'work.done': { actions: ['replyBegins', 'reply'] },
        'work.waits': 'working',
        'playout.finished': { target: 'floorFree' },
        'reply.failed': { target: 'floorFree' },
      },
    },
    /** The agent has called tools and has nothing to say meanwhile. */
    working: {
      on: {
        'work.done': { target: 'agentSpeaking', actions: ['replyBegins', 'reply'] },
        'work.over': 'floorFree',
        'speech.started': [
          { guard: 'interruptible', target: 'userSpeaking', actions: 'leaveWork' },
          { actions: 'userStarts' },
        ],
        'speech.resumed': { actions: 'userStarts' },
        'speech.paused': { actions: 'userPauses' },
        'silence.endpoint': { actions: ['userSilent', 'endTurn', 'oweReply'] },
        'input.committed': { actions: ['userSilent', 'endTurn'] },
        'input.cleared': { actions: 'userSilent' },
        'reply.requested': { target: 'agentSpeaking', actions: ['replyBegins', 'reply'] },
      },
    },
    ducked: {
      on: {
        // Results that came meanwhile are answered once it is known that nobody interrupts.
        'work.done': { actions: 'oweResults' },
        'work.waits': { target: 'working', actions: 'unduck' },
        'speech.dismissed': [
          {
            guard: 'replyOwed',
            target: 'agentSpeaking',
            actions: ['unduck', 'replyPaid', 'replyBegins', 'reply'],
          },
          { target: 'agentSpeaking', actions: 'unduck' },
        ],
        'speech.started': { target: 'interrupted', actions: ['unduck', 'userStarts', 'interrupt'] },
        'input.committed': { target: 'agentSpeaking', actions: ['unduck', 'endTurn'] },
        'input.cleared': { target: 'agentSpeaking', actions: 'unduck' },
        'reply.requested': { target: 'agentSpeaking', actions: ['unduck', 'replyBegins', 'reply'] },
        'policy.changed': [
          { guard: 'interruptionWithdrawn', target: 'agentSpeaking', actions: ['changePolicy', 'unduck'] },
          { actions: 'changePolicy' },
        ],
        'playout.finished': { target: 'floorFree', actions: 'unduck' },
        'reply.failed': { target: 'floorFree', actions: 'unduck' },
      },
    },
    interrupted: {
      on: {
        'speech.resumed': { actions: 'userStarts' },
        'speech.paused': { actions: 'userPauses' },
        'input.cleared': { actions: 'userSilent' },
        'history.truncated': 'floorFree',
        'silence.endpoint': [
          {
            guard: 'replies',
            target: 'agentSpeaking',
            actions: ['userSilent', 'endTurn', 'replyBegins', 'reply'],
          },
          { target: 'idle', actions: ['userSilent', 'endTurn'] },
        ],
        'input.committed': { target: 'idle', actions: ['userSilent', 'endTurn'] },
        'reply.requested': {
          target: 'agentSpeaking',
          actions: ['userSilent', 'endTurn', 'replyBegins', 'reply'],
        },
      },
      after: { interruptSettle: 'floorFree' },
    },
    /** Passed through at once: the floor goes to whom it belongs. */
    floorFree: {
      always: [
        { guard: 'userSpeaks', target: 'userSpeaking' },
        { guard: 'userPaused', target: 'maybeDone', actions: 'userSilent' },
        { guard: 'replyOwed', target: 'agentSpeaking', actions: ['replyPaid', 'replyBegins', 'reply'] },
        { target: 'idle' },
      ],
    },
  },
});
