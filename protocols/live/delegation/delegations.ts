/**
 * What the voice model hands over (docs/spec/gpt-live.md §8). To the session it is one tool with an effect
 * (docs/spec/tools.md §4), so nothing is handed over on a guess, nothing twice, and what comes of it stands in the
 * context as its outcome:
 *
 *   t3, the user goes on   nothing happened, and nobody was told
 *   t4                     session.delegation.created; the session is `working`
 *   the answer comes       the agent goes on with it
 *   … the user took the turn meanwhile: the answer takes its place in the context, and is told when nobody has the
 *   floor … late (`TIMEOUT_MS`): the agent was told that none came and has gone on; it joins the context, and is told
 */
import type { ItemContent, SessionEvent, Tool } from '../../../actors/session-api.ts';
import type { Outbox } from '../outbox.ts';
import type { Timeline } from '../timeline.ts';

/** Longer than a person waits in silence. */
const TIMEOUT_MS = 120_000;
const TOOL_NAME = 'delegate';
const DESCRIPTION =
  'Hands a task over to the application behind this conversation, which can look things up and act. Its answer comes later; ' +
  'tell it in your own words. Say that you are at it, and go on with the conversation meanwhile.';

export type Target = 'client' | 'responses';

export interface Delegation {
  readonly id: string;
  /** What the model wrote down of it; may be empty. */
  readonly task: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface DelegationsOptions {
  readonly target: Target;
  readonly timeline: Timeline;
  readonly outbox: Outbox;
  /** Starts one: gives its answer. What it throws the model is told. */
  readonly begin: (delegation: Delegation) => Promise<string>;
  /** The context has this answer, and no reply follows from it by itself. */
  readonly onUntold: () => void;
}

interface WaitingDelegation {
  isLeft: boolean;
}

export class Delegations {
  readonly #options: DelegationsOptions;
  readonly #waiting = new Set<WaitingDelegation>();
  /** Answers on their way into the context, which somebody has to tell. */
  readonly #untold: string[] = [];
  #count = 0;

  constructor(options: DelegationsOptions) {
    this.#options = options;
  }

  /** For the session. */
  get tool(): Tool {
    const parameters = { type: 'object', properties: { task: { type: 'string' } } };
    return {
      ...{ name: TOOL_NAME, description: DESCRIPTION, parameters, effect: 'world', timeoutMs: TIMEOUT_MS },
      run: ({ task }, { sessionId, signal }) =>
        this.#run(sessionId, typeof task === 'string' ? task : '', signal),
    };
  }

  observe(event: SessionEvent): void {
    if (event.type === 'speech.started') this.left();
    else if (event.type === 'item.done') this.#settled(event.item.content[0]);
  }

  /** The user took the turn, or the reply that waits was stopped: an answer does not make it go on. */
  left(): void {
    for (const waiting of this.#waiting) waiting.isLeft = true;
  }

  async #run(sessionId: string, task: string, signal: AbortSignal): Promise<string> {
    const { begin, outbox, target, timeline } = this.#options;
    const id = `dlg_${sessionId.slice(-12)}_${++this.#count}`;
    const waiting: WaitingDelegation = { isLeft: false };
    this.#waiting.add(waiting);
    const delegation = { type: 'delegation', id, target };
    outbox.send('session.delegation.created', { offset_ms: timeline.instant().start_ms, delegation });
    try {
      const answer = await begin({ id, task, signal });
      if (waiting.isLeft && !signal.aborted) this.#untold.push(answer);
      return answer;
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  /** The outcome of a call is in the context. */
  #settled(content: ItemContent | undefined): void {
    if (content?.type !== 'call' || content.name !== TOOL_NAME) return;
    const at = this.#untold.indexOf(content.output ?? '');
    if (at < 0) return;
    this.#untold.splice(at, 1);
    this.#options.onUntold();
  }
}
