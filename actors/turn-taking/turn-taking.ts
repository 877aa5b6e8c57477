import { createActor } from 'xstate';
import type { ActorContext, ActorDefinition, Delivered } from '../core/actor.ts';
import { ENDS_ITS_SESSION, type MessageDesk, messageBehaviour } from '../core/message-behaviour.ts';
import type { TurnState } from '../session-api.ts';
import { type TurnEffects, type TurnPolicy, turnTakingMachine } from './machine.ts';
import type { TurnTakingOutput, TurnTakingPorts } from './messages.ts';

/** Edges of one session that may wait; a person makes a few a second. */
const EDGES = 1024;

const { root, states } = turnTakingMachine;
/**
 * What each state reacts to: not sending the rest, such as onsets while nobody speaks, costs far less than having it
 * ignored.
 */
const CONCERNS = new Map<TurnState, ReadonlySet<string>>(
  Object.entries(states).map(([state, { ownEvents }]) => [
    state as TurnState,
    new Set([...root.ownEvents, ...ownEvents]),
  ]),
);

/** The turn-taking actor of a session: a thin shell around the machine. */
export function turnTakingActor(policy: TurnPolicy): ActorDefinition<TurnTakingPorts, TurnTakingOutput> {
  return {
    name: 'turn-taking',
    ports: { edges: { capacity: EDGES, overflow: 'never-drop', fenced: false } },
    supervision: ENDS_ITS_SESSION,
    behaviour: messageBehaviour((context, emit) => startMachine(policy, context, emit)),
  };
}

function startMachine(
  policy: TurnPolicy,
  { clock }: ActorContext,
  emit: (output: TurnTakingOutput) => void,
): MessageDesk<TurnTakingPorts> {
  const effects: TurnEffects = {
    speculate: () => emit({ type: 'speculate' }),
    rollback: () => emit({ type: 'rollback' }),
    endTurn: () => emit({ type: 'endTurn' }),
    reply: () => emit({ type: 'reply' }),
    duck: () => emit({ type: 'duck' }),
    unduck: () => emit({ type: 'unduck' }),
    interrupt: () => emit({ type: 'interrupt' }),
    leaveWork: () => emit({ type: 'leaveWork' }),
  };
  const machine = createActor(turnTakingMachine, { clock: clock.xstate, input: { effects, policy } });
  let state: TurnState = 'idle';
  let defect: { readonly cause: unknown } | null = null;
  machine.subscribe({
    next: ({ value }) => {
      if (value === state) return;
      state = value as TurnState;
      emit({ type: 'state', state });
    },
    error: cause => {
      defect = { cause };
    },
  });
  machine.start();
  return {
    receive({ message }: Delivered<TurnTakingPorts>) {
      if (!CONCERNS.get(state)!.has(message.body.type)) return;
      machine.send(message.body);
      if (defect) throw defect.cause;
    },
    stop: () => void machine.stop(),
  };
}
