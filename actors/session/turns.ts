/**
 * Turn-taking of a session: what perception and play-out report goes to the machine as edges; what the machine decides is
 * carried out here, on the user's side (`listening`) and the agent's (`speaking`).
 */
import { type Actor, createActor } from 'xstate';
import type { ModelDescription, Positions } from '../../kernels/engine/index.ts';
import type { Piece } from '../chunk-interleaver/index.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Tracer } from '../core/trace.ts';
import type { Percept, VoiceActivityDetector } from '../perceive/index.ts';
import type {
  ItemContent,
  ResponseOptions,
  RuntimeLimits,
  SessionEvent,
  SessionSettings,
  TurnState,
} from '../session-api.ts';
import { DUCK_GAIN_DB, TURN_DELAYS, turnTakingMachine } from '../turn-taking/index.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import { Listening } from './listening.ts';
import { turnPolicy } from './settings.ts';
import { Speaking } from './speaking.ts';
import { TurnAccount } from './turn-account.ts';

export interface TurnsDeps {
  readonly session: string;
  readonly clock: Clock;
  readonly trace: Tracer;
  readonly limits: RuntimeLimits;
  readonly model: ModelDescription;
  readonly detector: VoiceActivityDetector;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly settings: () => SessionSettings;
  readonly write: (itemId: string, pieces: readonly Piece[]) => Positions;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
  /** Deletes the oldest item where a spoken turn would be one too many. */
  readonly makeRoom: () => void;
  /** Runs what a timer starts; a failure ends the session. */
  readonly enter: (action: () => void) => void;
  readonly fail: (error: unknown) => void;
}

/** Sparse units kept for the next user turn: four minutes at 0.5 fps. */
const MAX_SPARSE_UNITS = 120;

export class Turns {
  readonly listening: Listening;
  readonly speaking: Speaking;
  readonly #deps: TurnsDeps;
  readonly #machine: Actor<typeof turnTakingMachine>;
  #account: TurnAccount;
  /** Options of the reply that a client is asking for. */
  #requested: Partial<ResponseOptions> | null = null;
  #lastResponseId = '';
  #state: TurnState = 'idle';
  #lastAudioMs = 0;
  #stallTimer: Timer | null = null;

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
    this.#account = new TurnAccount(deps.session, 0, deps.trace);
    this.listening = new Listening({
      ...deps,
      inputSampleRate: deps.model.inputSampleRate,
      hiddenSize: deps.model.hiddenSize,
      maxBufferedSpeechMs: deps.limits.maxBufferedSpeechMs,
      maxSparseUnits: MAX_SPARSE_UNITS,
      mark: cause => this.#account.mark(cause, deps.clock.nowMs()),
      onEdge: edge => this.#edge(edge),
      onManualTurn: () => this.#beginTurn(deps.newId('item'), deps.clock.nowMs()),
      onOverflow: () => this.#overflowed(),
    });
    this.speaking = new Speaking({
      ...deps,
      onFinished: () => this.#machine.send({ type: 'playout.finished' }),
      onHeldFailed: () => this.#machine.send({ type: 'reply.failed' }),
    });
    this.#machine = this.#startMachine();
  }

  /** Something of this session is on its way through the shared actors. */
  get busy(): boolean {
    return this.listening.busy || this.speaking.busy || this.#deps.queue.size > 0;
  }

  audio(samples: Float32Array): void {
    this.#lastAudioMs = this.#deps.clock.nowMs();
    this.listening.audio(samples);
    this.#watchForStall();
  }

  commitInput(): void {
    this.#machine.send({ type: 'input.committed' });
  }

  clearInput(): void {
    this.#machine.send({ type: 'input.cleared' });
    this.listening.end()?.discard();
  }

  /** Returns the id of the response. */
  requestReply(options: Partial<ResponseOptions>): string {
    this.#requested = options;
    this.#machine.send({ type: 'reply.requested' });
    return this.#lastResponseId;
  }

  /** A turn that begins with an item instead of speech. */
  beginItemTurn(): void {
    if (!this.listening.turn) this.#nextAccount();
  }

  settingsChanged(before: SessionSettings): void {
    const now = this.#deps.settings();
    if (now.turnDetection.mode !== before.turnDetection.mode) this.clearInput();
    this.listening.configure();
    this.speaking.playOut.setDelivery(now.delivery);
    this.#machine.send({ type: 'policy.changed', policy: turnPolicy(now) });
  }

  close(): void {
    this.#stallTimer?.cancel();
    this.#stallTimer = null;
    this.#machine.stop();
    this.speaking.close();
  }

  #startMachine(): Actor<typeof turnTakingMachine> {
    const { clock, fail, settings } = this.#deps;
    const effects = {
      speculate: () => this.#speculate(),
      rollback: () => this.#rollback(),
      endTurn: () => this.#endTurn(),
      reply: () => this.#reply(),
      duck: () => this.#duck(DUCK_GAIN_DB),
      unduck: () => this.#duck(0),
      interrupt: () => this.#interrupt(),
    };
    const machine = createActor(turnTakingMachine, {
      clock: clock.xstate,
      input: { effects, policy: turnPolicy(settings()) },
    });
    machine.subscribe({ next: snapshot => this.#stateChanged(snapshot.value as TurnState), error: fail });
    return machine.start();
  }

  #edge(edge: Exclude<Percept, { type: 'utterance' }>): void {
    const { clock, emit, newId, settings } = this.#deps;
    const atMs = clock.nowMs();
    if (edge.type === 'speech.started') {
      const itemId = newId('item');
      const { turnDetection } = settings();
      const paddingMs = turnDetection.mode === 'vad' ? turnDetection.prefixPaddingMs : 0;
      emit({ type: 'speech.started', itemId, audioStartMs: Math.max(0, edge.atMs - paddingMs), atMs });
      // Who interrupts does so before the new turn enters the context.
      this.#machine.send({ type: edge.type });
      this.#beginTurn(itemId, this.listening.clockMs(edge.atMs));
      return;
    }
    if (edge.type === 'speech.paused') this.#account.speechEnded(this.listening.clockMs(edge.atMs));
    if (edge.type === 'silence.endpoint' && this.listening.turn) {
      emit({ type: 'speech.stopped', itemId: this.listening.turn.itemId, audioEndMs: edge.atMs, atMs });
    }
    this.#machine.send({ type: edge.type });
  }

  #beginTurn(itemId: string, startedAtMs: number): void {
    this.#nextAccount();
    this.#account.note('speechStart', startedAtMs);
    const account = this.#account;
    this.listening.begin(itemId, ({ delta, text, final }) => {
      const { conversation, emit } = this.#deps;
      account.userTranscript = text;
      const item = conversation.find(itemId);
      if (item) conversation.update(itemId, { content: withTranscript(item.content, text) });
      emit({ type: 'input.transcript', itemId, delta, final });
    });
  }

  #nextAccount(): void {
    const { line, session, trace } = this.#deps;
    line.turn += 1;
    this.#account = new TurnAccount(session, line.turn, trace);
  }

  #speculate(): void {
    const turn = this.listening.turn;
    if (!turn) return;
    const atMs = this.#deps.clock.nowMs();
    this.#account.note('speculate', atMs);
    this.#account.speculations += 1;
    this.#account.mark('endpointing', atMs);
    this.listening.flushPictures();
    turn.speculate(this.speaking.prepare(this.#account, {}).request);
  }

  #rollback(): void {
    this.#account.rollbacks += 1;
    this.speaking.dropHeld();
    this.listening.turn?.rollback();
  }

  #endTurn(): void {
    const { turn } = this.listening;
    if (!turn) return;
    const { clock, conversation, emit, makeRoom } = this.#deps;
    const atMs = clock.nowMs();
    this.#account.note('endpoint', atMs);
    if (this.#account.at('speechEnd') === null) this.#account.speechEnded(atMs);
    // A reply asked for with options of its own is not the one that was speculated on.
    if (this.speaking.held && this.#requested) this.#rollback();
    if (this.speaking.held) turn.commit();
    else {
      this.#account.mark('endpointing', atMs);
      this.listening.flushPictures();
      turn.end();
    }
    this.listening.end();
    const content = [{ type: 'audio', samples: turn.samples(), transcript: turn.caption || null }] as const;
    makeRoom();
    const item = conversation.add({ id: turn.itemId, role: 'user', content }, 'completed');
    emit({ type: 'input.committed', itemId: item.id, previousItemId: item.previousItemId });
    emit({ type: 'item.added', item });
    emit({ type: 'item.done', item });
    turn.finishCaption();
  }

  #reply(): void {
    const options = this.#requested ?? {};
    this.#requested = null;
    let reply = this.speaking.held;
    if (!reply) {
      const prepared = this.speaking.prepare(this.#account, options);
      reply = prepared.reply;
      this.speaking.generate(reply, prepared.request);
    }
    this.#lastResponseId = reply.responseId;
    this.speaking.reveal(reply);
  }

  #interrupt(): void {
    this.speaking.interrupt();
    this.#machine.send({ type: 'history.truncated' });
  }

  #duck(gainDb: number): void {
    this.speaking.playOut.setGainDb(gainDb);
    this.#deps.emit({ type: 'duck', gainDb });
  }

  #stateChanged(state: TurnState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.listening.agentSpeaks(state === 'agentSpeaking' || state === 'ducked');
    this.#deps.emit({ type: 'state', state, atMs: this.#deps.clock.nowMs() });
  }

  #overflowed(): void {
    const { maxBufferedSpeechMs } = this.#deps.limits;
    const message = `Audio beyond ${maxBufferedSpeechMs} ms is not kept; commit or clear the input.`;
    this.#deps.emit({ type: 'error', code: 'input.full', message, fatal: false });
  }

  /** Whoever was speaking when the audio stopped coming has stopped speaking. */
  #watchForStall(): void {
    if (this.#stallTimer || !this.listening.active) return;
    const { clock, enter } = this.#deps;
    const waitMs = Math.max(0, this.#lastAudioMs + TURN_DELAYS.audioStallMs - clock.nowMs());
    this.#stallTimer = clock.setTimer(waitMs, () => {
      this.#stallTimer = null;
      enter(() => {
        if (clock.nowMs() - this.#lastAudioMs >= TURN_DELAYS.audioStallMs) this.listening.stall();
        this.#watchForStall();
      });
    });
  }
}

function withTranscript(content: readonly ItemContent[], transcript: string): ItemContent[] {
  return content.map(part => (part.type === 'audio' ? { ...part, transcript } : part));
}
