/**
 * A small honest session kept in memory: an energy VAD, items in order, replies of a few words and tones. It keeps the
 * contract of actors/session-api.ts, so that the doors can be tested without engine and actors.
 */
import { Subject } from 'rxjs';
import type { Clock } from '../../actors/core/clock.ts';
import type { ComponentFault, ComponentRecovery } from '../../actors/health.ts';
import type {
  ConversationItem,
  NewItem,
  ResponseOptions,
  ResponseStatus,
  Runtime,
  Session,
  SessionCommand,
  SessionEvent,
  SessionSettings,
} from '../../actors/session-api.ts';
import type { ComponentState, Picture } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const FRAME = 320;
const WORDS = ['Hello,', ' this', ' is', ' a', ' reply.'];
const WORD_SAMPLES = 4800;

const DEFAULTS: SessionSettings = {
  instructions: '',
  outputModality: 'audio',
  turnDetection: {
    mode: 'vad',
    threshold: 0.5,
    prefixPaddingMs: 300,
    endpointSilenceMs: 500,
    speculateSilenceMs: 200,
    createResponse: true,
    interruptResponse: true,
  },
  delivery: { mode: 'burst' },
  truncateAt: 'punctuation',
  maxReplySteps: 512,
  speechSpeed: 1,
  temperature: 1,
  topK: 1,
  topP: 1,
  repetitionPenalty: 1,
  maxTokensPerPicture: 128,
  babble: null,
  tools: [],
  toolChoice: 'auto',
  parallelToolCalls: true,
  toolPolicy: { fillerAfterMs: 400, stopOnBargeIn: true, maxRounds: 8 },
};

export interface MemoryRuntimeOptions {
  readonly maxSessions?: number;
  /** Pause between the words of a reply; a reply never ends when infinite. */
  readonly wordMs?: number;
  readonly wordsPerReply?: number;
}

export interface MemoryRuntime extends Runtime {
  /** For tests of what is told of components. */
  readonly states: Map<string, ComponentState>;
  readonly faults: Subject<ComponentFault>;
  readonly recoveries: Subject<ComponentRecovery>;
  readonly sessions: ReadonlyMap<string, MemorySession>;
}

export function createMemoryRuntime(clock: Clock, options: MemoryRuntimeOptions = {}): MemoryRuntime {
  const sessions = new Map<string, MemorySession>();
  const maxSessions = options.maxSessions ?? 64;
  const states = new Map<string, ComponentState>([
    ['language-model', 'ready'],
    ['vision-encoder', 'absent'],
  ]);
  const [faults, recoveries] = [new Subject<ComponentFault>(), new Subject<ComponentRecovery>()];
  return {
    states,
    faults,
    recoveries,
    health: { components: states, faults$: faults, recoveries$: recoveries },
    sessions,
    callsTools: false,
    limits: {
      maxSessions,
      maxBatch: 1,
      prefillTokenBudget: 1,
      maxBufferedSpeechMs: 60_000,
      maxItems: 200,
      maxSoundSamples: 1e6,
    },
    openSession(settings = {}, { id = `sess_${sessions.size}` } = {}) {
      if (sessions.size >= maxSessions)
        throw new RuntimeError('runtime.full', 'No session is free.', { maxSessions });
      const session = new MemorySession(id, clock, { ...DEFAULTS, ...settings }, options, () =>
        sessions.delete(id),
      );
      sessions.set(id, session);
      return session;
    },
    async close() {
      for (const session of [...sessions.values()]) session.close('runtime closed');
    },
  };
}

interface Reply {
  readonly id: string;
  readonly itemId: string;
  readonly modality: 'audio' | 'text';
  text: string;
  samples: number;
}

class MemorySession implements Session {
  readonly id: string;
  readonly events$ = new Subject<SessionEvent>();
  settings: SessionSettings;
  items: ConversationItem[] = [];
  unheardMs = 0;
  readonly pictures: Picture[] = [];
  readonly heard: { itemId: string; samples: number }[] = [];
  closedWith: string | null = null;
  readonly #clock: Clock;
  readonly #options: MemoryRuntimeOptions;
  readonly #onClose: () => void;
  #count = 0;
  #pushed = 0;
  #pending: Float32Array[] = [];
  #speakingItemId: string | null = null;
  #silentFrames = 0;
  #reply: Reply | null = null;
  /** Samples spoken per reply item, for truncation. */
  readonly #spoken = new Map<string, number>();

  constructor(
    id: string,
    clock: Clock,
    settings: SessionSettings,
    options: MemoryRuntimeOptions,
    onClose: () => void,
  ) {
    this.id = id;
    this.settings = settings;
    this.#clock = clock;
    this.#options = options;
    this.#onClose = onClose;
  }

  wordsWithin(itemId: string, samples: number): string {
    const words = Math.floor(samples / WORD_SAMPLES);
    if (!this.#spoken.has(itemId)) return '';
    return Array.from({ length: words }, (_, at) => WORDS[at % WORDS.length]).join('');
  }

  send(command: SessionCommand): void {
    if (command.type === 'audio') this.#pushAudio(command.samples);
    else if (command.type === 'picture') this.#pushVideo(command.image);
    else if (command.type === 'input.commit') this.#commitInput();
    else if (command.type === 'input.clear') this.#clearInput();
    else if (command.type === 'item.add') this.#addItem(command.item, command.after);
    else if (command.type === 'item.delete') this.#deleteItem(command.itemId);
    else if (command.type === 'item.truncate') this.#truncateItem(command.itemId, command.audioEndMs);
    else if (command.type === 'response.create') this.#createResponse(command.options, command.responseId);
    else if (command.type === 'response.cancel') this.#cancelResponse(command.responseId);
    else if (command.type === 'settings.update') this.#update(command.settings);
    else if (command.type === 'played') this.#reportHeard(command.itemId, command.samples);
  }

  #pushAudio(samples: Float32Array): void {
    this.#pending.push(samples.slice());
    for (let at = 0; at < samples.length; at += FRAME) this.#frame(samples.subarray(at, at + FRAME));
  }

  #frame(frame: Float32Array): void {
    this.#pushed += frame.length;
    const vad = this.settings.turnDetection;
    if (vad.mode === 'manual') return;
    const loud = frame.some(sample => Math.abs(sample) > 0.05);
    const atMs = this.#clock.nowMs();
    const pushedMs = this.#pushed / 16;
    if (loud) {
      this.#silentFrames = 0;
      if (this.#speakingItemId) return;
      this.#speakingItemId = this.#newId('item');
      const audioStartMs = Math.max(0, pushedMs - vad.prefixPaddingMs);
      this.#emit({ type: 'speech.started', itemId: this.#speakingItemId, audioStartMs, atMs });
      if (this.#reply && vad.interruptResponse) this.#finish({ kind: 'cancelled', reason: 'interrupted' });
    } else if (this.#speakingItemId && ++this.#silentFrames * 20 >= vad.endpointSilenceMs) {
      this.#emit({ type: 'speech.stopped', itemId: this.#speakingItemId, audioEndMs: pushedMs, atMs });
      this.#commit(this.#speakingItemId);
      if (vad.createResponse && !this.#reply) this.#createResponse();
    }
  }

  #pushVideo(frame: Picture): void {
    this.pictures.push(frame);
    this.#emit({ type: 'state', state: 'idle', atMs: this.#clock.nowMs() });
  }

  #commitInput(): string {
    if (this.#pending.length === 0) throw new RuntimeError('input.empty', 'There is no audio to commit.');
    return this.#commit(this.#newId('item'));
  }

  #commit(id: string): string {
    this.#emit({ type: 'input.committed', itemId: id, previousItemId: this.items.at(-1)?.id ?? null });
    const samples = Float32Array.from(this.#pending.flatMap(part => [...part]));
    this.#pending = [];
    this.#speakingItemId = null;
    this.#silentFrames = 0;
    this.#addItem({ id, role: 'user', content: [{ type: 'audio', samples, transcript: null }] });
    this.#emit({ type: 'input.transcript', itemId: id, delta: 'hello', final: true });
    return id;
  }

  #clearInput(): void {
    this.#pending = [];
    this.#speakingItemId = null;
    this.#emit({ type: 'input.cleared' });
  }

  #addItem(item: NewItem, previousItemId?: string | null): ConversationItem {
    const id = item.id ?? this.#newId('item');
    if (this.items.some(known => known.id === id))
      throw new RuntimeError('item.duplicate', 'The id is taken.', { itemId: id });
    const at =
      previousItemId === undefined
        ? this.items.length
        : previousItemId === null
          ? 0
          : this.#indexOf(previousItemId) + 1;
    const { role, content } = item;
    const added: ConversationItem = {
      id,
      role,
      content,
      status: 'completed',
      previousItemId: this.items[at - 1]?.id ?? null,
    };
    this.items.splice(at, 0, added);
    this.#emit({ type: 'item.added', item: added });
    this.#emit({ type: 'item.done', item: added });
    return added;
  }

  #deleteItem(itemId: string): void {
    this.items.splice(this.#indexOf(itemId), 1);
    if (this.#reply?.itemId === itemId) this.#finish({ kind: 'cancelled', reason: 'asked' });
    this.#emit({ type: 'item.deleted', itemId });
  }

  #truncateItem(itemId: string, audioEndMs: number): void {
    const at = this.#indexOf(itemId);
    const spoken = this.#spoken.get(itemId);
    if (spoken === undefined)
      throw new RuntimeError('item.no-audio', 'Only spoken replies can be truncated.', { itemId });
    this.#truncate(at, Math.min(audioEndMs, spoken / 24));
  }

  #truncate(at: number, audioEndMs: number): void {
    const itemId = this.items[at].id;
    const text = WORDS.slice(0, Math.floor(audioEndMs / 200)).join('');
    this.items[at] = {
      ...this.items[at],
      content: [{ type: 'audio', samples: new Float32Array(audioEndMs * 24), transcript: text }],
    };
    this.#emit({ type: 'item.truncated', itemId, audioEndMs, text });
  }

  #createResponse(options: Partial<ResponseOptions> = {}, responseId = this.#newId('resp')): void {
    if (this.#reply)
      throw new RuntimeError('response.active', 'A response is running.', { responseId: this.#reply.id });
    const modality = options.outputModality ?? this.settings.outputModality;
    const reply = { id: responseId, itemId: this.#newId('item'), modality, text: '', samples: 0 };
    this.#reply = reply;
    const previousItemId = this.items.at(-1)?.id ?? null;
    const item: ConversationItem = {
      id: reply.itemId,
      role: 'assistant',
      status: 'in_progress',
      content: [],
      previousItemId,
    };
    this.items.push(item);
    this.#emit({
      type: 'response.created',
      responseId: reply.id,
      itemId: reply.itemId,
    });
    this.#emit({ type: 'item.added', item });
    this.#schedule(reply, 0);
  }

  #schedule(reply: Reply, word: number): void {
    const wordMs = this.#options.wordMs ?? 0;
    if (!Number.isFinite(wordMs) && word > 0) return;
    this.#clock.setTimer(Number.isFinite(wordMs) ? wordMs : 0, () => {
      if (this.#reply !== reply) return;
      if (word >= (this.#options.wordsPerReply ?? WORDS.length)) return this.#finish({ kind: 'completed' });
      this.#speak(reply, WORDS[word % WORDS.length]);
      this.#schedule(reply, word + 1);
    });
  }

  #speak(reply: Reply, word: string): void {
    const address = { responseId: reply.id, itemId: reply.itemId };
    reply.text += word;
    this.#emit({ type: 'response.text', ...address, delta: word });
    if (reply.modality === 'text' || this.#reply !== reply) return;
    reply.samples += WORD_SAMPLES;
    this.#spoken.set(reply.itemId, reply.samples);
    const samples = Float32Array.from({ length: WORD_SAMPLES }, (_, n) => 0.3 * Math.sin(n / 10));
    this.#emit({ type: 'response.audio', ...address, samples });
  }

  #finish(status: ResponseStatus): void {
    const reply = this.#reply!;
    this.#reply = null;
    const at = this.items.findIndex(item => item.id === reply.itemId);
    if (at >= 0) {
      const samples = new Float32Array(reply.samples);
      const content =
        reply.modality === 'text'
          ? ([{ type: 'text', text: reply.text }] as const)
          : ([{ type: 'audio', samples, transcript: reply.text }] as const);
      this.items[at] = {
        ...this.items[at],
        status: status.kind === 'completed' ? 'completed' : 'incomplete',
        content,
      };
      this.#emit({ type: 'item.done', item: this.items[at] });
    }
    const usage = {
      inputTextTokens: 1,
      inputAudioTokens: 2,
      inputImageTokens: 3,
      cachedTextTokens: 1,
      cachedAudioTokens: 0,
      cachedImageTokens: 2,
      outputTextTokens: 4,
      outputAudioTokens: 5,
    };
    this.#emit({ type: 'response.done', responseId: reply.id, itemId: reply.itemId, status, usage });
  }

  #cancelResponse(responseId?: string): void {
    if (!this.#reply || (responseId !== undefined && responseId !== this.#reply.id)) {
      throw new RuntimeError('response.none', 'No such response is active.');
    }
    this.#finish({ kind: 'cancelled', reason: 'asked' });
  }

  #update(settings: Partial<SessionSettings>): void {
    this.settings = { ...this.settings, ...settings };
  }

  #reportHeard(itemId: string, samples: number): void {
    this.heard.push({ itemId, samples });
    this.#emit({ type: 'duck', gainDb: 0 });
  }

  close(reason: string): void {
    if (this.closedWith !== null) return;
    this.closedWith = reason;
    this.#reply = null;
    this.#onClose();
    this.#emit({ type: 'ended', reason });
    this.events$.complete();
  }

  /** For tests of what a session may say on its own. */
  say(event: SessionEvent): void {
    this.#emit(event);
  }

  #emit(event: SessionEvent): void {
    this.events$.next(event);
  }

  #indexOf(itemId: string): number {
    const at = this.items.findIndex(item => item.id === itemId);
    if (at < 0) throw new RuntimeError('item.unknown', 'There is no such item.', { itemId });
    return at;
  }

  #newId(kind: string): string {
    return `${kind}_${this.id}_${++this.#count}`;
  }
}
