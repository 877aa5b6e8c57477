import type { ActorDefinition, Delivered } from '../core/actor.ts';
import type { Clock, Timer } from '../core/clock.ts';
import {
  ENDS_ITS_SESSION,
  type MessageDesk,
  messageBehaviour,
  type TakeUrgent,
} from '../core/message-behaviour.ts';
import type { TurnDetection } from '../session-api.ts';
import { DEFAULT_TURN_DETECTION, TURN_DELAYS } from '../turn-taking/index.ts';
import { EchoGate } from './echo-gate.ts';
import type { Edge, PerceiveControl, PerceiveOutput, PerceivePorts } from './messages.ts';
import { type Percept, Perception } from './perception.ts';
import { SampleRun } from './sample-run.ts';
import { FRAME_MS } from './segmenter.ts';
import type { VoiceActivityDetector } from './voice-activity-detector.ts';

export interface PerceiveDeps {
  readonly detector: VoiceActivityDetector;
  /** Whether sound that is the agent's own, come back, counts as silence. */
  readonly rejectsEcho: boolean;
  readonly sampleRate: number;
  /** Of what the caller hears. */
  readonly outputSampleRate: number;
  /** A longer utterance ends; manual audio beyond it is not kept. */
  readonly maxUtteranceMs: number;
  readonly turnDetection: TurnDetection;
}

/** Packets of one session that may wait: two minutes of the shortest. */
const AUDIO = 6000;
const CONTROL = 1024;
/** Audio this much later than it should be: the stream had a gap. */
const GAP_MS = 300;
/** Longer ones do not make the watch for the next one wait longer. */
const LONGEST_PACKET_MS = 1000;
/** Sums of times differ in their last digits: without slack the next wait may be too short to pass. */
const GRAIN_MS = 1e-6;

type VadSettings = Extract<TurnDetection, { mode: 'vad' }>;

/** The ear of a session. */
export function perceiveActor(deps: PerceiveDeps): ActorDefinition<PerceivePorts, PerceiveOutput> {
  return {
    name: 'perceive',
    ports: {
      audio: { capacity: AUDIO, overflow: 'fail', fenced: false },
      control: { capacity: CONTROL, overflow: 'never-drop', fenced: false },
    },
    supervision: ENDS_ITS_SESSION,
    behaviour: messageBehaviour(
      ({ clock }, emit, takeUrgent) => new PerceiveActor(deps, clock, emit, takeUrgent),
    ),
  };
}

class PerceiveActor implements MessageDesk<PerceivePorts> {
  readonly #perception: Perception;
  readonly #maxSamples: number;
  readonly #clock: Clock;
  readonly #emit: (percept: PerceiveOutput) => void;
  readonly #takeUrgent: TakeUrgent<PerceivePorts>;
  readonly #frameSamples: number;
  /** The frame of a longer packet that is being heard. */
  readonly #frame: Float32Array;
  /** What a frame of lost sound says. */
  readonly #nothing: Float32Array;
  /** Audio of the utterance that was heard and is still to be passed on. */
  readonly #run = new SampleRun();
  #mode: TurnDetection['mode'];
  /** Samples of the open utterance; null when there is none. */
  #utteranceSamples: number | null = null;
  #saidFull = false;
  #lastAudioMs = 0;
  /** Length of the packet that came last. */
  #packetMs = 0;
  /** Null at the simulator's own sample rates. */
  readonly #echo: EchoGate | null;
  #stallTimer: Timer | null = null;
  #audioMs = 0;
  /** Clock time of the audio's zero, by its least delayed packet. */
  #audioZeroMs = Number.POSITIVE_INFINITY;

  constructor(
    { detector, maxUtteranceMs, outputSampleRate, rejectsEcho, sampleRate, turnDetection }: PerceiveDeps,
    clock: Clock,
    emit: (percept: PerceiveOutput) => void,
    takeUrgent: TakeUrgent<PerceivePorts>,
  ) {
    this.#takeUrgent = takeUrgent;
    this.#frameSamples = (sampleRate * FRAME_MS) / 1000;
    this.#frame = new Float32Array(this.#frameSamples);
    this.#nothing = new Float32Array(this.#frameSamples);
    this.#perception = new Perception(detector, vadSettings(turnDetection));
    this.#maxSamples = (maxUtteranceMs * sampleRate) / 1000;
    this.#echo =
      rejectsEcho && EchoGate.fits(sampleRate, outputSampleRate)
        ? new EchoGate(sampleRate, outputSampleRate)
        : null;
    this.#mode = turnDetection.mode;
    this.#clock = clock;
    this.#emit = emit;
  }

  receive({ port, message }: Delivered<PerceivePorts>): void {
    if (port === 'control') this.#control(message.body);
    else {
      const { samples, lost = false, isVoiceless = false } = message.body;
      this.#lastAudioMs = this.#clock.nowMs();
      this.#packetMs = (samples.length / this.#frameSamples) * FRAME_MS;
      this.#perception.isVoiceless = isVoiceless;
      this.#packet(samples, lost);
      this.#pass();
      this.#watchForStall();
    }
  }

  #control(command: PerceiveControl): void {
    if (command.type === 'agent.speaks') this.#perception.agentSpeaks(command.speaks);
    else if (command.type === 'weighed') this.#perception.weigh(command.weighed);
    else if (command.type === 'decided') {
      this.#perception.decided(command.takesTurn, command.lookAgain);
      if (!command.takesTurn) this.#utteranceSamples = null;
    } else if (command.type === 'endpoint') this.#perception.endpointAt(command.silenceMs);
    else if (command.type === 'played') this.#echo?.played(command.samples, command.atMs);
    else if (command.type === 'silenced') this.#echo?.cleared(command.atMs);
    else if (command.type === 'configured') {
      this.#mode = command.turnDetection.mode;
      this.#perception.configure(vadSettings(command.turnDetection));
    } else {
      this.#utteranceSamples = null;
      this.#perception.reset();
    }
  }

  /** Frame by frame; what a frame leads to is known before the next one is heard. */
  #packet(samples: Float32Array, lost: boolean): void {
    const length = this.#frameSamples;
    for (let at = 0; at < samples.length; at += length) {
      if (at > 0) this.#serveUrgent();
      if (this.#mode === 'manual') {
        this.#pass();
        this.#manualAudio(at === 0 ? samples : samples.subarray(at));
        return;
      }
      this.#hear(samples, at, lost);
    }
  }

  #serveUrgent(): void {
    for (let urgent = this.#takeUrgent(); urgent; urgent = this.#takeUrgent()) {
      this.#pass();
      if (urgent.port === 'control') this.#control(urgent.message.body);
    }
  }

  /** What was heard of the utterance goes on its way, before whatever is said about it. */
  #pass(): void {
    const samples = this.#run.take();
    if (samples) this.#emit({ type: 'utterance', samples });
  }

  #hear(packet: Float32Array, at: number, lost: boolean): void {
    const frame = lost ? this.#nothing : this.#frameOf(packet, at);
    const verdict = this.#echo?.frame(frame, this.#audioClockMs()) ?? 'person';
    this.#perception.frame(frame, verdict, this.#percept, packet, at);
  }

  /** Good until the next: a copy of twenty milliseconds costs less than an array that looks at them. */
  #frameOf(packet: Float32Array, at: number): Float32Array {
    const length = this.#frameSamples;
    if (packet.length === length) return packet;
    if (packet.length < at + length) return packet.subarray(at);
    for (let i = 0; i < length; i++) this.#frame[i] = packet[at + i];
    return this.#frame;
  }

  /** When this frame was spoken, whatever packets and networks made of it. */
  #audioClockMs(): number {
    this.#audioMs += FRAME_MS;
    const zeroMs = this.#clock.nowMs() - this.#audioMs;
    if (zeroMs < this.#audioZeroMs || zeroMs > this.#audioZeroMs + GAP_MS) this.#audioZeroMs = zeroMs;
    return this.#audioZeroMs + this.#audioMs;
  }

  readonly #percept = (percept: Percept): void => {
    if (percept.type === 'utterance') {
      this.#utterance(percept.packet, percept.from, percept.to);
      return;
    }
    this.#pass();
    if (percept.type === 'evidence' || percept.type === 'line') this.#emit(percept);
    else this.#edge(percept);
  };

  #edge(edge: Edge): void {
    if (edge.type === 'speech.started') this.#utteranceSamples = 0;
    this.#emit(edge);
  }

  #utterance(packet: Float32Array, from: number, to: number): void {
    if (this.#utteranceSamples === null) return;
    this.#utteranceSamples += to - from;
    this.#run.add(packet, from, to);
    if (this.#utteranceSamples >= this.#maxSamples) this.#perception.stall(this.#percept);
  }

  #manualAudio(samples: Float32Array): void {
    if (this.#utteranceSamples === null) {
      this.#utteranceSamples = 0;
      this.#saidFull = false;
      this.#emit({ type: 'manual.started' });
    }
    const kept = samples.slice(0, this.#maxSamples - this.#utteranceSamples);
    if (kept.length < samples.length && !this.#saidFull) {
      this.#saidFull = true;
      this.#emit({ type: 'manual.full' });
    }
    if (kept.length === 0) return;
    this.#utteranceSamples += kept.length;
    this.#emit({ type: 'utterance', samples: kept });
  }

  /** Long packets come rarely: the next one is due a packet later, and may be late. */
  get #stallMs(): number {
    const { audioStallMs, packetLateMs } = TURN_DELAYS;
    return Math.max(audioStallMs, Math.min(this.#packetMs, LONGEST_PACKET_MS) + packetLateMs);
  }

  /** Whoever was speaking when the audio stopped coming has stopped speaking. */
  #watchForStall(): void {
    if (this.#stallTimer || !this.#perception.active) return;
    const waitMs = Math.max(0, this.#lastAudioMs + this.#stallMs - this.#clock.nowMs());
    this.#stallTimer = this.#clock.setTimer(waitMs, () => {
      this.#stallTimer = null;
      if (this.#clock.nowMs() - this.#lastAudioMs >= this.#stallMs - GRAIN_MS)
        this.#perception.stall(this.#percept);
      this.#watchForStall();
    });
  }
}

function vadSettings(turnDetection: TurnDetection): VadSettings {
  return turnDetection.mode === 'vad' ? turnDetection : DEFAULT_TURN_DETECTION;
}
