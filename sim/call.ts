/** One conversation of the simulated world: a person, two ways through a network, and a session of the real runtime. */
import type { Clock, Random } from '../actors/core/index.ts';
import type { Runtime, Session, SessionEvent, SessionSettings, TurnTrace } from '../actors/session-api.ts';
import { Ear } from './networks/ear.ts';
import type { Metronome } from './networks/metronome.ts';
import { Path } from './networks/path.ts';
import type { NetworkProfile } from './networks/profiles.ts';
import { Uplink } from './networks/uplink.ts';
import { Person, type PersonLaw } from './people/person.ts';
import { Voice } from './people/voice.ts';

export interface CallOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly runtime: Runtime;
  readonly metronome: Metronome;
  readonly profile: NetworkProfile;
  readonly transport: { readonly kind: 'rtp' | 'websocket' | 'carrier'; readonly packetMs: number };
  readonly settings: Partial<SessionSettings>;
  readonly law: PersonLaw;
  readonly showsPictures: boolean;
}

const PICTURE_MS = 500;
const PICTURE = { width: 1, height: 1, data: new Uint8Array(3) };

export class Call {
  readonly id: string;
  readonly traces: TurnTrace[] = [];
  readonly person: Person;
  readonly ear: Ear;
  readonly uplink: Uplink;
  readonly downlink: Path;
  readonly beganMs: number;
  endedMs: number | null = null;
  /** Clock times of endpoints, and of those at which the person had not finished. */
  readonly endpointsMs: number[] = [];
  readonly falseEndpointsMs: number[] = [];
  failure: string | null = null;
  readonly #options: CallOptions;
  readonly #session: Session;
  readonly #leave: () => void;
  /** Samples (ms) of each item that were sent to the far end's queue. */
  readonly #sentMs = new Map<string, number>();
  #isOver = false;

  constructor(options: CallOptions) {
    const { clock, id, law, metronome, profile, random, runtime, settings, transport } = options;
    const isReliable = transport.kind !== 'rtp';
    const voice = new Voice();
    this.id = id;
    this.beganMs = clock.nowMs();
    this.#options = options;
    // What a modelled engine says repeats itself by design.
    this.#session = runtime.openSession({ ...settings, babble: null }, { id });
    this.person = new Person(clock, random.split('person'), voice, law);
    this.ear = new Ear(
      clock,
      profile.renderMs,
      atMs => this.person.agentStarted(atMs),
      atMs => this.person.agentStopped(atMs),
    );
    this.downlink = new Path(random.split('downlink'), profile, isReliable);
    const push = (samples: Float32Array) => {
      if (!this.#isOver) this.#session.pushAudio(samples);
    };
    const { packetMs } = transport;
    this.uplink = new Uplink({
      clock,
      random: random.split('uplink'),
      profile,
      packetMs,
      isReliable,
      voice,
      push,
    });
    this.#session.events$.subscribe(event => this.#on(event));
    this.#leave = metronome.join(() => this.uplink.tick());
    if (options.showsPictures) this.#show();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.endedMs = this.#options.clock.nowMs();
    this.#leave();
    this.person.hangUp();
    this.#session.close('hung up');
  }

  #on(event: SessionEvent): void {
    const nowMs = this.#options.clock.nowMs();
    if (event.type === 'response.audio') this.#hear(event.itemId, event.samples.length, nowMs);
    else if (event.type === 'playout.clear') {
      this.ear.clear(this.downlink.send(nowMs) ?? nowMs);
      this.#sentMs.clear();
    } else if (event.type === 'turn.trace') this.traces.push(event.trace);
    else if (event.type === 'input.committed') {
      this.endpointsMs.push(nowMs);
      if (this.person.isTalking) this.falseEndpointsMs.push(nowMs);
    } else if (event.type === 'error' && event.fatal) this.failure = `${event.code}: ${event.message}`;
    else if (event.type === 'ended') this.end();
  }

  /** A packet lost on the way is concealed: its time passes all the same. */
  #hear(itemId: string, lengthMs: number, nowMs: number): void {
    const { clock, profile, transport } = this.#options;
    const arrivalMs = this.downlink.send(nowMs) ?? nowMs + profile.baseMs;
    const playedMs = this.ear.play(arrivalMs, lengthMs);
    if (transport.kind !== 'carrier') return;
    const sentMs = (this.#sentMs.get(itemId) ?? 0) + lengthMs;
    this.#sentMs.set(itemId, sentMs);
    // A mark: the far end says so when it has played this far, unless it was cleared.
    clock.setTimer(playedMs + profile.baseMs - nowMs, () => {
      const wasCleared = this.#sentMs.get(itemId) === undefined;
      if (!this.#isOver && !wasCleared) this.#session.reportHeard(itemId, sentMs);
    });
  }

  #show(): void {
    this.#options.clock.setTimer(PICTURE_MS, () => {
      if (this.#isOver) return;
      this.#session.pushVideo(PICTURE);
      this.#show();
    });
  }
}
