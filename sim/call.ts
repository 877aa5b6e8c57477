/** One conversation of the simulated world: a person, two ways through a network, and a session of the real runtime. */
import type { Clock, Random } from '../actors/core/index.ts';
import type { Runtime, SessionEvent, SessionSettings, TurnTrace } from '../actors/session-api.ts';
import { FarEar } from './networks/ear.ts';
import { ListenerBuffer } from './networks/listener-buffer.ts';
import type { Metronome } from './networks/metronome.ts';
import { Path } from './networks/path.ts';
import type { NetworkProfile } from './networks/profiles.ts';
import { Uplink } from './networks/uplink.ts';
import { Person, type PersonLaw } from './people/person.ts';
import { Understanding } from './people/understanding.ts';
import { Voice } from './people/voice.ts';
import type { Scenario } from './scenarios/schema.ts';
import { SessionLine } from './session-line.ts';
import { isCleared, isLossy } from './session-settings.ts';

export interface SimulatedCallOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly runtime: Runtime;
  /** Of the runtime's model. */
  readonly outputSampleRate: number;
  readonly metronome: Metronome;
  readonly profile: NetworkProfile;
  readonly transport: Pick<Scenario['transport'], 'kind' | 'packetMs'>;
  readonly settings: Partial<SessionSettings>;
  readonly law: PersonLaw;
  readonly wordsThatMatter: number;
  readonly showsPictures: boolean;
  readonly calmMs: number;
  /** This world of ours failed, not the runtime. */
  readonly onBroken: (error: unknown) => void;
}

/** A turn's account, and the item that was its answer. */
export interface TracedTurn {
  readonly trace: TurnTrace;
  readonly itemId: string | null;
  /** How long before the runtime heard something it had been said, when it took the turn to be over. */
  readonly lagMs: number;
}

/** An endpoint that the runtime declared. */
export interface Endpoint {
  readonly atMs: number;
  /** What the runtime had heard by then had been said by then. */
  readonly heardUntilMs: number;
}

const PICTURE_MS = 500;
/** Of one call; more say nothing new. */
const MAX_ERRORS = 1000;
/** Paced audio leaves in frames of this. */
const FRAME_MS = 20;
/** Concealment covers a gap of this (docs/spec/latency-data.md §5.5). */
const CONCEALED_MS = 60;

export class SimulatedCall {
  readonly id: string;
  readonly traces: TracedTurn[] = [];
  readonly person: Person;
  readonly ear: FarEar;
  readonly uplink: Uplink;
  readonly downlink: Path;
  readonly beganMs: number;
  endedMs: number | null = null;
  readonly endpoints: Endpoint[] = [];
  failure: string | null = null;
  /** What the runtime said went wrong while the call went on. */
  readonly errors: string[] = [];
  /** From leaving the runtime to sounding, of the first sound of each reply. */
  readonly downlinkDelaysMs: number[] = [];
  readonly #options: SimulatedCallOptions;
  readonly #line: SessionLine;
  readonly #listenerBuffer: ListenerBuffer | null;
  /** Sound (ms) of each item that was sent to the far end's queue. */
  readonly #sentMs = new Map<string, number>();
  /** The newest items of which sound was sent, and when the first of it plays as the runtime has it. */
  readonly #firstSent: { readonly itemId: string; readonly atMs: number }[] = [];
  /** Of the downlink, where it was the newest. */
  #missed: { readonly itemId: string; readonly lengthMs: number } | null = null;
  #isOver = false;

  constructor(options: SimulatedCallOptions) {
    const { clock, id, law, metronome, profile, random, runtime, settings, transport } = options;
    const isReliable = !isLossy(transport.kind);
    const voice = new Voice();
    const understanding = new Understanding(random.split('understanding'), options.wordsThatMatter);
    this.id = id;
    this.beganMs = clock.nowMs();
    this.#options = options;
    this.#line = new SessionLine(runtime, settings, id, options.outputSampleRate);
    this.person = new Person(clock, random.split('person'), voice, law, turn =>
      understanding.isUnderstood(turn, this.person.noises),
    );
    this.ear = new FarEar({
      clock,
      renderMs: profile.renderMs,
      hiddenBreakMs: isReliable ? 0 : CONCEALED_MS,
      onStarted: (atMs, itemId) => this.person.agentStarted(atMs, itemId),
      onStopped: atMs => this.person.agentStopped(atMs),
    });
    this.downlink = new Path(random.split('downlink'), profile, FRAME_MS, isReliable);
    const startPackets = Math.ceil((profile.baseMs + 2 * profile.jitterMs) / FRAME_MS) + 1;
    this.#listenerBuffer = isReliable ? null : new ListenerBuffer(FRAME_MS, startPackets);
    this.uplink = new Uplink({
      clock,
      random: random.split('uplink'),
      profile,
      metronome,
      isReliable,
      repairs: transport.kind === 'webrtc',
      voice,
      calmMs: options.calmMs,
      push: samples => this.#line.audio(samples),
      onMissing: (fromMs, toMs) => understanding.misses(fromMs, toMs),
    });
    this.#line.events$.subscribe(event => {
      try {
        this.#on(event);
      } catch (error) {
        options.onBroken(error); // RxJS would tell nobody before the run is over.
      }
    });
    if (options.showsPictures) this.#show();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.endedMs = this.#options.clock.nowMs();
    this.uplink.end();
    this.person.hangUp();
    this.ear.close();
    this.#line.hangUp();
  }

  #on(event: SessionEvent): void {
    const nowMs = this.#options.clock.nowMs();
    if (event.type === 'response.audio') {
      this.#hear(event.itemId, this.#line.lengthMs(event.samples), nowMs);
    } else if (event.type === 'playout.clear') this.#clear(nowMs);
    else if (event.type === 'turn.trace') this.#trace(event.trace);
    else if (event.type === 'input.committed') {
      this.endpoints.push({ atMs: nowMs, heardUntilMs: this.uplink.heardUntilMs });
    } else if (event.type === 'error') this.#failed(`${event.code}: ${event.message}`, event.fatal);
    else if (event.type === 'ended') this.end();
  }

  #failed(reason: string, isFatal: boolean): void {
    if (isFatal) this.failure = reason;
    else if (this.errors.length < MAX_ERRORS) this.errors.push(reason);
  }

  /** The reply of a turn is the last one whose first sound had been sent by the moment at which the account closes. */
  #trace(trace: TurnTrace): void {
    const { firstAudio } = trace.timeline;
    const sent =
      firstAudio === null ? -1 : this.#firstSent.findLastIndex(({ atMs }) => atMs <= firstAudio + 1e-6);
    const itemId = sent < 0 ? null : this.#firstSent[sent].itemId;
    if (sent > 0) this.#firstSent.splice(0, sent);
    this.traces.push({ trace, itemId, lagMs: this.uplink.lagMs });
  }

  /** The far end throws away what it has; a line has no such message, what is under way sounds. */
  #clear(nowMs: number): void {
    if (!isCleared(this.#options.transport.kind)) this.ear.drain();
    else this.ear.clear(this.downlink.send(nowMs) ?? nowMs);
    this.#sentMs.clear();
  }

  #hear(itemId: string, lengthMs: number, nowMs: number): void {
    const { clock, profile, transport } = this.#options;
    const isFirst = this.#firstSent.at(-1)?.itemId !== itemId;
    if (isFirst) this.#firstSent.push({ itemId, atMs: nowMs });
    const arrivalMs = this.downlink.send(nowMs);
    this.#repair(arrivalMs);
    const readyMs = this.#listenerBuffer ? this.#listenerBuffer.place(nowMs, lengthMs, arrivalMs) : arrivalMs;
    this.#missed = readyMs === null ? { itemId, lengthMs } : null;
    if (readyMs === null) return; // What follows sounds at its own time: there is a gap, unless the next packet repairs it.
    const beginsMs = this.ear.play(itemId, readyMs, lengthMs);
    if (isFirst) this.downlinkDelaysMs.push(beginsMs - nowMs);
    if (transport.kind !== 'carrier') return;
    const sentMs = (this.#sentMs.get(itemId) ?? 0) + lengthMs;
    this.#sentMs.set(itemId, sentMs);
    // A mark: the far end says so when it has played this far, unless it was cleared.
    clock.setTimer(beginsMs + lengthMs + profile.baseMs - nowMs, () => {
      const wasCleared = this.#sentMs.get(itemId) === undefined;
      if (!this.#isOver && !wasCleared) this.#line.heard(itemId, sentMs);
    });
  }

  /** Sound that was missed, from the packet behind it. */
  #repair(arrivalMs: number | null): void {
    if (this.#options.transport.kind !== 'webrtc' || !this.#missed) return;
    const soundsMs = this.#listenerBuffer?.repaired(arrivalMs) ?? null;
    if (soundsMs !== null) this.ear.play(this.#missed.itemId, soundsMs, this.#missed.lengthMs);
  }

  #show(): void {
    this.#options.clock.setTimer(PICTURE_MS, () => {
      if (this.#isOver) return;
      this.#line.picture();
      this.#show();
    });
  }
}
