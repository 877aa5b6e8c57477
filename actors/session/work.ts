/**
 * Calls of tools that run in this process, from the step that completes them to the result in the context
 * (docs/spec/tools.md §4). What each may do at which moment is the call machine's to say; here it is done.
 */
import type { ModelDescription, Tokenizer } from '../../kernels/engine/index.ts';
import type { Clock } from '../core/clock.ts';
import { addTokens, NO_TOKENS, type Piece, toPositions } from '../chunk-interleaver/index.ts';
import type { ConversationItem, SessionEvent, SessionSettings, Tool } from '../session-api.ts';
import {
  CANCELLED_OUTPUT,
  errorOutput,
  isTool,
  type RunningTool,
  resultTurn,
  RUNNING_OUTPUT,
  type ToolCall,
  type ToolOutcome,
  type ToolRunner,
} from '../tools/index.ts';
import { type ToolCallEvent, callMachine, Statechart } from '../turn-taking/index.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import type { Reply } from './reply.ts';

export interface WorkDeps {
  readonly session: string;
  readonly clock: Clock;
  readonly model: ModelDescription;
  readonly tokenizer: Tokenizer;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly runner: ToolRunner;
  readonly settings: () => SessionSettings;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
  readonly makeRoom: () => void;
  /** Runs to completion; a failure ends the session. */
  readonly enter: (action: () => void) => void;
  /** All that this reply called has answered, the context says so, and the reply is to go on. */
  readonly onDone: (reply: Reply) => void;
  /** The same, but no reply follows. */
  readonly onOver: () => void;
}

interface CallAtWork {
  readonly callId: string;
  readonly name: string;
  readonly argumentsJson: string;
  readonly reply: Reply;
  /** Null: there is none of this name. */
  readonly tool: Tool | null;
  readonly key: string;
  /** Of its result in the context. */
  readonly outputId: string;
  readonly run: (done: (outcome: ToolOutcome) => void) => RunningTool;
  readonly chart: Statechart<typeof callMachine>;
  running: RunningTool | null;
  output: string | null;
  failed: boolean;
  item: ConversationItem | null;
  isCommitted: boolean;
  /** The context holds something under `outputId`. */
  isAnswered: boolean;
}

/** Of one reply; the model is told of the others that they were not made. */
const MAX_CALLS = 16;
/** Of the context, for what one tool gives. */
const RESULT_SHARE = 0.25;

export class Work {
  readonly #deps: WorkDeps;
  /** Not over, oldest first. */
  readonly #calls = new Set<CallAtWork>();
  /** Replies in a row that only went on after results. */
  #rounds = 0;
  #turn = -1;
  #count = 0;

  constructor(deps: WorkDeps) {
    this.#deps = deps;
  }

  /** It is run here, or answered here where nobody else offers tools. */
  knows(reply: Reply, name: string): boolean {
    return toolOf(reply, name) !== null || reply.offered.every(isTool);
  }

  /** Results are awaited, and a reply follows from them. */
  get isPending(): boolean {
    for (const call of this.#calls) if (isOpen(call) && call.reply.goesOn) return true;
    return false;
  }

  /** All calls of a reply run here and have their results, before anybody was told of it. */
  isReady(reply: Reply): boolean {
    const calls = this.#of(reply);
    return (
      calls.length > 0 && calls.length === reply.calls.length && calls.every(({ output }) => output !== null)
    );
  }

  /** The model has written all of a call. */
  decoded(reply: Reply, { name, arguments: given }: ToolCall): void {
    const { line, newId, runner, session } = this.#deps;
    const tool = toolOf(reply, name);
    if (line.turn !== this.#turn) [this.#turn, this.#count] = [line.turn, 0];
    const key = `${session}/${line.turn}/${this.#count++}`;
    const refused = tool ? this.#refusal(reply) : `There is no tool ${name}.`;
    const callId = newId('call');
    const call: CallAtWork = {
      ...{ callId, name, argumentsJson: JSON.stringify(given), reply, tool, key, outputId: newId('result') },
      run: done => {
        if (!tool || refused !== null) return runner.refuse(refused!, done);
        return runner.run({ tool, arguments: given, key, callId, sessionId: session }, done);
      },
      ...{ chart: new Statechart(callMachine), running: null, output: null, failed: false, item: null },
      ...{ isCommitted: false, isAnswered: false },
    };
    this.#calls.add(call);
    this.#send(call, !tool || tool.effect === 'none' ? 'propose.free' : 'propose.bound');
    if (!reply.isSpeculative) this.#commit(call);
  }

  /** t4, and the reply ends at once: its calls are known before they have their outcome. */
  announced(reply: Reply): void {
    for (const call of this.#of(reply)) this.#announce(call);
  }

  /** t4. */
  delivered(reply: Reply): void {
    for (const call of this.#of(reply)) this.#commit(call);
  }

  rolledBack(reply: Reply): void {
    for (const call of this.#of(reply)) this.#send(call, 'rollback');
  }

  /**
   * The user took the turn, or a client stopped the reply: what is under way has an outcome for the context, and no
   * reply follows.
   */
  left(): void {
    const { stopOnBargeIn } = this.#deps.settings().toolPolicy;
    for (const call of [...this.#calls]) {
      call.reply.goesOn = false;
      this.#send(call, stopOnBargeIn ? 'barge-in.stop' : 'barge-in');
    }
  }

  /** The reply's last step was made: it may be the results that it waits for no more. */
  ended(reply: Reply): void {
    this.#goOn(reply);
  }

  close(): void {
    for (const call of [...this.#calls]) this.#send(call, 'session.ended');
  }

  #refusal(reply: Reply): string | null {
    const { maxRounds } = this.#deps.settings().toolPolicy;
    if (reply.calls.length > MAX_CALLS) return `More than ${MAX_CALLS} calls at once; this one was not made.`;
    if (this.#rounds >= maxRounds) return `More than ${maxRounds} rounds of calls; this one was not made.`;
    return null;
  }

  #of(reply: Reply): CallAtWork[] {
    return [...this.#calls].filter(call => call.reply === reply);
  }

  #commit(call: CallAtWork): void {
    if (call.isCommitted) return;
    call.isCommitted = true;
    // What may only run now has waited for it.
    if (call.tool?.effect === 'world') call.reply.account.silenceEnded('gate', this.#deps.clock.nowMs());
    this.#announce(call);
    this.#send(call, 'commit');
  }

  #announce(call: CallAtWork): void {
    const { conversation, emit, makeRoom, newId } = this.#deps;
    if (call.item) return;
    call.reply.keepsCall = true;
    makeRoom();
    const item = { id: newId('item'), role: 'assistant', content: [contentOf(call)] } as const;
    call.item = conversation.add(item, 'in_progress');
    conversation.standsFor(item.id, call.reply.itemId);
    emit({ type: 'item.added', item: call.item, responseId: call.reply.responseId });
  }

  #send(call: CallAtWork, type: ToolCallEvent['type']): void {
    for (const action of call.chart.send({ type })) {
      if (action === 'run') this.#run(call);
      else if (action === 'abort') call.running?.cancel();
      else if (action === 'settle') this.#settle(call);
      else if (action === 'cancel') {
        call.output = CANCELLED_OUTPUT;
        call.failed = true;
        this.#settle(call);
      } else if (action === 'provisional') this.#answer(call, RUNNING_OUTPUT);
    }
    const { snapshot } = call.chart;
    if (snapshot.matches('forgotten') || snapshot.matches('cancelled') || snapshot.matches('settled'))
      this.#calls.delete(call);
  }

  #run(call: CallAtWork): void {
    call.running = call.run(({ output, failed }) =>
      this.#deps.enter(() => {
        call.output = output;
        call.failed = failed;
        call.reply.account.mark('tool', this.#deps.clock.nowMs());
        this.#send(call, 'result');
      }),
    );
  }

  /** Its outcome is known and stays. */
  #settle(call: CallAtWork): void {
    const { conversation, emit } = this.#deps;
    this.#answer(call, call.output!);
    if (conversation.find(call.item!.id)) {
      const item = conversation.update(call.item!.id, { status: 'completed', content: [contentOf(call)] });
      emit({ type: 'item.done', item });
    }
    this.#calls.delete(call);
    this.#goOn(call.reply);
  }

  /** Into the context, behind the call; what was there of it before goes. */
  #answer(call: CallAtWork, given: string): void {
    const { conversation, line, model, queue, tokenizer } = this.#deps;
    const { outputId: itemId, reply } = call;
    const after = reply.lastResult ?? reply.itemId;
    if (!call.isAnswered) reply.lastResult = itemId;
    const isAgain = call.isAnswered;
    call.isAnswered = true;
    if (!model.toolTemplate) return;
    const write = (output: string) =>
      toPositions(resultTurn(output, model.toolTemplate!) as Piece[], tokenizer, model.tokens);
    let { positions, count } = write(given);
    if (positions.textIds.length > model.maxPositions * RESULT_SHARE)
      ({ positions, count } = write(errorOutput('The result is longer than the model can read.')));
    const place = isAgain ? (call.reply.resultBefore.get(itemId) ?? reply.itemId) : after;
    call.reply.resultBefore.set(itemId, place);
    if (call.item) conversation.standsFor(call.item.id, itemId);
    conversation.restoreTokens(itemId, addTokens(NO_TOKENS, count));
    queue.push(() => {
      if (isAgain) line.languageModel('context', { type: 'remove', itemId });
      line.languageModel('context', { type: 'prefill', itemId, role: 'user', positions, after: place });
    });
  }

  #goOn(reply: Reply): void {
    if (!reply.goesOn || reply.endReason === null || reply.isSpeculative || this.#of(reply).length > 0)
      return;
    if (reply.calls.length === 0 || reply.calls.some(({ name }) => !this.knows(reply, name))) return;
    reply.goesOn = false;
    // Who goes on calling after it was told that it may not is not asked again.
    if (this.#rounds > this.#deps.settings().toolPolicy.maxRounds) this.#deps.onOver();
    else this.#deps.onDone(reply);
  }

  /** A reply to results begins. */
  nextRound(): void {
    this.#rounds += 1;
  }

  /** A user's turn begins. */
  firstRound(): void {
    this.#rounds = 0;
  }
}

const isOpen = ({ chart: { snapshot } }: CallAtWork): boolean =>
  !snapshot.matches('settled') && !snapshot.matches('cancelled') && !snapshot.matches('forgotten');

/** The one that this reply was told of, whatever is offered by now. */
function toolOf(reply: Reply, name: string): Tool | null {
  const tool = reply.offered.find(offered => offered.name === name);
  return tool && isTool(tool) ? tool : null;
}

function contentOf({ callId, name, argumentsJson, output, failed, tool }: CallAtWork) {
  const server = tool?.server;
  const call = { type: 'call', callId, name, argumentsJson, output } as const;
  return { ...call, ...(failed && { failed }), ...(server && { server }) };
}
