/**
 * Turn-taking of a session: what perception and play-out report goes to the machine as edges; what the machine decides
 * is carried out here, on the user's side (`listening`) and the agent's (`speaking`).
 */
import type { ModelDescription, Positions } from '../../kernels/engine/index.ts';
import type { Piece } from '../chunk-interleaver/index.ts';
import type { Clock } from '../core/clock.ts';
import type { Edge } from '../perceive/index.ts';
import type { HeardLedger, Speaker } from '../play-out/index.ts';
import type { NewItem, RuntimeLimits, SessionEvent, SessionSettings, TurnState } from '../session-api.ts';
import { DUCK_GAIN_DB, endpointSilenceMs, meansWait, type TurnTakingOutput } from '../turn-taking/index.ts';
import { withTranscript } from './audio-content.ts';
import { BargeIn, type ItemCaption } from './barge-in.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import { Listening } from './listening.ts';
import type { OfferedTools } from './offered-tools.ts';
import type { Reply } from './reply.ts';
import type { ReplyRequest } from './reply-request.ts';
import { turnPolicy } from './settings.ts';
import { Speaking } from './speaking.ts';
import { TurnAccount } from './turn-account.ts';
import type { Work } from './work.ts';

export interface TurnsDeps {
  readonly session: string;
  readonly clock: Clock;
  readonly limits: RuntimeLimits;
  readonly model: ModelDescription;
  readonly rejectsEcho: boolean;
  readonly ledger: HeardLedger;
  readonly speaker: () => Speaker;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly settings: () => SessionSettings;
  readonly write: (itemId: string, pieces: readonly Piece[]) => Positions;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
  /** The typed question that a reply asked for now would answer. */
  readonly questionId: () => string | null;
  readonly showPictures: (pictures: readonly Piece[], questionId: string | null, ownId: string) => void;
  readonly compose: (items: readonly NewItem[], done: (input: Positions) => void) => void;
  /** Deletes the oldest item where a spoken turn would be one too many. */
  readonly makeRoom: () => void;
  readonly work: Work;
  readonly offered: (options: ReplyRequest) => OfferedTools | null;
  /** Nobody has it any more. */
  readonly onFloorFree: () => void;
}

/** A speculation was made with these. */
const REPLY_SETTINGS = [
  'instructions',
  'outputModality',
  'maxReplySteps',
  'temperature',
  'topK',
  'topP',
  'repetitionPenalty',
  'tools',
  'toolChoice',
] as const satisfies readonly (keyof SessionSettings)[];

export class Turns {
  readonly listening: Listening;
  readonly speaking: Speaking;
  readonly #deps: TurnsDeps;
  #account: TurnAccount;
  /** The next reply answers results. */
  #afterResults = false;
  /** The reply that a client is asking for. */
  #requested: ReplyRequest | null = null;
  /** It answers a turn that it has ended itself, pictures and all. */
  #endedByRequest = false;
  readonly #bargeIn: BargeIn;
  /** Where in the audio the present silence began, and how long it was at the last speculation. */
  #silence = { startMs: 0, judgedMs: 0 };

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
    this.#account = new TurnAccount(deps.session, 0);
    this.listening = new Listening(deps, {
      mark: cause => this.#account.mark(cause, deps.clock.nowMs()),
      onEdge: edge => this.#edge(edge),
      onEvidence: evidence => this.#bargeIn.evidence(evidence),
      onManualTurn: () => this.#manualTurn(),
      onOverflow: () => this.#overflowed(),
    });
    this.#bargeIn = new BargeIn({
      line: deps.line,
      newId: deps.newId,
      listening: this.listening,
      onTurn: (started, itemId) => this.#turnStarted(started, itemId),
      onEdge: edge => this.#edge(edge),
      onDismissed: () => deps.line.turnTaking({ type: 'speech.dismissed' }),
      onCaption: (itemId, caption) => this.#caption(itemId, this.#account, caption),
    });
    if (this.#weighs) this.listening.weigh(true);
    this.speaking = new Speaking(deps, {
      onWaitProbability: probability => this.#judged(probability),
      onFinished: () => deps.line.turnTaking({ type: 'playout.finished' }),
      onWaits: () => deps.line.turnTaking({ type: 'work.waits' }),
      onSent: () => deps.line.turnTaking({ type: 'reply.sent' }),
      onSpeculationFailed: () => deps.line.turnTaking({ type: 'reply.failed' }),
    });
  }

  /** Something of this session is on its way through the shared actors. */
  get busy(): boolean {
    return this.listening.busy || this.speaking.busy || this.#deps.queue.size > 0;
  }

  /** Nobody speaks, nor will in a moment. */
  get isFloorFree(): boolean {
    return !this.listening.turn && !this.speaking.isPlaying;
  }

  commitInput(): void {
    this.#bargeIn.settle(true);
    this.#deps.line.turnTaking({ type: 'input.committed' });
  }

  clearInput(): void {
    this.#bargeIn.settle(false);
    this.#deps.line.turnTaking({ type: 'input.cleared' });
    this.listening.end()?.discard();
  }

  requestReply(request: ReplyRequest): void {
    this.#bargeIn.settle(true);
    this.#requested = request;
    this.#endedByRequest = false;
    this.#deps.line.turnTaking({ type: 'reply.requested' });
  }

  /** A turn that begins with an item instead of speech. */
  beginItemTurn(): void {
    if (!this.listening.turn) this.#nextAccount();
  }

  /** What was sent waits, unheard, for a far end that was lost. */
  lineChanged(lost: boolean): void {
    this.#deps.line.playOut('control', { type: 'line', lost });
  }

  settingsChanged(before: SessionSettings): void {
    const now = this.#deps.settings();
    if (now.turnDetection.mode !== before.turnDetection.mode) this.clearInput();
    this.listening.configure();
    this.#deps.line.playOut('control', { type: 'speaker', speaker: this.#deps.speaker() });
    this.#deps.line.turnTaking({ type: 'policy.changed', policy: turnPolicy(now) });
    this.listening.weigh(this.#weighs);
    // What was begun under the old settings does not outlive them: a sound that may interrupt, a speculation.
    if (!this.#weighs) this.#bargeIn.settle(true);
    if (this.speaking.speculative && REPLY_SETTINGS.some(name => now[name] !== before[name]))
      this.#deps.line.turnTaking({ type: 'reply.outdated' });
  }

  /** All that the reply called has answered. */
  resultsAreIn(reply: Reply): void {
    this.#afterResults = true;
    // What came before the endpoint has waited for it.
    reply.account.silenceEnded('gate', this.#deps.clock.nowMs());
    this.speaking.resultsAreIn(reply);
    this.#deps.line.turnTaking({ type: 'work.done' });
  }

  /** The calls have their outcome, and nothing follows from it. */
  workIsOver(): void {
    const { line } = this.#deps;
    line.turnTaking({ type: 'work.over' });
    if (!this.speaking.isPlaying) line.turnTaking({ type: 'playout.finished' });
  }

  /** What the machine decides is carried out at once. */
  fromTurnTaking(output: TurnTakingOutput): void {
    if (output.type === 'state') this.#stateChanged(output.state);
    else if (output.type === 'speculate') this.#speculate();
    else if (output.type === 'rollback') this.#rollback();
    else if (output.type === 'endTurn') this.#endTurn();
    else if (output.type === 'reply') this.#reply();
    else if (output.type === 'interrupt') this.#interrupt();
    else if (output.type === 'leaveWork') this.#deps.work.left();
    else this.#duck(output.type === 'duck' ? DUCK_GAIN_DB : 0);
  }

  #edge(edge: Edge): void {
    const { clock, emit, newId } = this.#deps;
    const atMs = clock.nowMs();
    if (this.#bargeIn.isWeighing) {
      this.#bargeIn.edge(edge);
      return;
    }
    if (edge.type === 'speech.started') {
      if (this.#bargeIn.isAlert && this.#weighs) this.#bargeIn.begin(edge);
      else {
        const itemId = newId('item');
        this.#turnStarted(edge, itemId);
        this.#listenTo(itemId);
      }
      return;
    }
    if (edge.type === 'speech.paused') this.#silence.startMs = edge.atMs;
    if (edge.type === 'silence.speculate') this.#silence.judgedMs = edge.atMs - this.#silence.startMs;
    if (edge.type === 'speech.paused') this.#account.speechEnded(this.listening.clockMs(edge.atMs));
    this.#account.heard(this.listening.wayOf(edge.atMs));
    if (edge.type === 'silence.endpoint' && this.listening.turn) {
      emit({ type: 'speech.stopped', itemId: this.listening.turn.itemId, audioEndMs: edge.atMs, atMs });
    }
    this.#deps.line.turnTaking({ type: edge.type });
  }

  /** Words decide who has the turn, where the model hears any. */
  get #weighs(): boolean {
    return this.#deps.model.hearsWords === true && turnPolicy(this.#deps.settings()).interruptResponse;
  }

  /** The outside learns of it; who interrupts does so before the new turn enters the context. */
  #turnStarted({ atMs }: Edge, itemId: string): void {
    const { clock, emit, line, settings } = this.#deps;
    const { turnDetection } = settings();
    const paddingMs = turnDetection.mode === 'vad' ? turnDetection.prefixPaddingMs : 0;
    const audioStartMs = Math.max(0, atMs - paddingMs);
    emit({ type: 'speech.started', itemId, audioStartMs, atMs: clock.nowMs() });
    line.turnTaking({ type: 'speech.started' });
    this.#nextAccount();
    this.#account.note('speechStart', this.listening.clockMs(atMs));
  }

  #listenTo(itemId: string): void {
    const account = this.#account;
    this.listening.begin(itemId, caption => this.#caption(itemId, account, caption));
  }

  #caption(itemId: string, account: TurnAccount, { delta, text, final }: ItemCaption): void {
    const { conversation, emit, model } = this.#deps;
    if (text === '' && !model.hearsWords) {
      emit({ type: 'input.untranscribed', itemId });
      return;
    }
    account.userTranscript = text;
    const item = final && conversation.find(itemId);
    if (item) conversation.update(itemId, { content: withTranscript(item.content, text) });
    emit({ type: 'input.transcript', itemId, delta, final });
  }

  #manualTurn(): void {
    const { clock, newId } = this.#deps;
    this.#nextAccount();
    this.#account.note('speechStart', clock.nowMs());
    this.#listenTo(newId('item'));
  }

  /**
   * The speculation's first step tells how likely the user goes on: the endpoint moves, or the reply is given up for
   * now.
   */
  #judged(waitProbability: number): void {
    const { line } = this.#deps;
    const { turnDetection } = this.listening;
    if (turnDetection.mode !== 'vad' || !turnDetection.meaning) return;
    const { meaning } = turnDetection;
    const silenceMs = endpointSilenceMs(waitProbability, meaning);
    line.perceive('control', { type: 'endpoint', silenceMs });
    // The last look before the endpoint keeps its reply, so that it is there when it is wanted.
    const isLast = meaning.judgeAgainMs > 0 && this.#silence.judgedMs + meaning.judgeAgainMs >= silenceMs;
    if (meansWait(waitProbability, meaning) && !isLast) line.turnTaking({ type: 'turn.unfinished' });
  }

  #nextAccount(): void {
    const { line, session } = this.#deps;
    line.turn += 1;
    this.#afterResults = false;
    this.#deps.work.firstRound();
    this.#account = new TurnAccount(session, line.turn);
  }

  #speculate(): void {
    const turn = this.listening.turn;
    if (!turn) return;
    const atMs = this.#deps.clock.nowMs();
    this.#account.note('speculate', atMs);
    this.#account.speculations += 1;
    this.#account.silenceEnded('endpointing', atMs);
    this.listening.flushPictures();
    turn.speculate(this.speaking.prepare(this.#account, {}).request);
  }

  #rollback(): void {
    this.#account.rollbacks += 1;
    this.speaking.rollback();
    this.listening.turn?.rollback();
  }

  #endTurn(): void {
    const { turn } = this.listening;
    if (!turn) return;
    this.#endedByRequest = true;
    const { clock, conversation, emit, makeRoom } = this.#deps;
    const atMs = clock.nowMs();
    this.#account.note('endpoint', atMs);
    if (this.#account.at('speechEnd') === null) this.#account.speechEnded(atMs);
    // A reply asked for with options of its own is not the one that was speculated on.
    if (this.speaking.speculative && this.#requested) this.#rollback();
    if (this.speaking.speculative) turn.commit();
    else {
      this.#account.silenceEnded('endpointing', atMs);
      this.listening.flushPictures();
      turn.end();
    }
    this.listening.end();
    makeRoom();
    const item = conversation.add({ id: turn.itemId, role: 'user', content: [turn.content()] }, 'completed');
    emit({ type: 'input.committed', itemId: item.id, previousItemId: item.previousItemId });
    emit({ type: 'item.added', item });
    emit({ type: 'item.done', item });
    turn.finishCaption();
  }

  #reply(): void {
    const options = this.#requested ?? (this.#afterResults ? { afterResults: true } : {});
    if (this.#afterResults) this.#deps.work.nextRound();
    this.#afterResults = false;
    const looks = this.#requested !== null && !this.#endedByRequest && !this.listening.turn;
    this.#requested = null;
    let reply = this.speaking.speculative;
    if (!reply) {
      if (looks) this.#look();
      const prepared = this.speaking.prepare(this.#account, options);
      reply = prepared.reply;
      const { input } = options;
      const compose = input ? (done: (composed: Positions) => void) => this.#deps.compose(input, done) : null;
      this.speaking.generate(reply, prepared.request, compose);
    }
    this.speaking.deliver(reply);
  }

  /** What the camera shows comes before a reply that no spoken turn has brought it to. */
  #look(): void {
    const { newId, questionId, showPictures } = this.#deps;
    const [id, asked] = [newId('glance'), questionId()];
    this.listening.glance(id, pictures => showPictures(pictures, asked, id));
  }

  #interrupt(): void {
    this.speaking.interrupt();
    this.#deps.line.turnTaking({ type: 'history.truncated' });
  }

  #duck(gainDb: number): void {
    this.#deps.line.playOut('control', { type: 'gain', gainDb });
    this.#deps.emit({ type: 'duck', gainDb });
  }

  #stateChanged(state: TurnState): void {
    this.#bargeIn.ducked(state === 'ducked');
    this.listening.agentSpeaks(state === 'agentSpeaking' || state === 'ducked');
    this.#deps.emit({ type: 'state', state, atMs: this.#deps.clock.nowMs() });
    if (state === 'idle') this.#deps.onFloorFree();
  }

  #overflowed(): void {
    const { maxBufferedSpeechMs } = this.#deps.limits;
    const message = `Audio beyond ${maxBufferedSpeechMs} ms is not kept; commit or clear the input.`;
    this.#deps.emit({ type: 'error', code: 'input.full', message, fatal: false });
  }
}
