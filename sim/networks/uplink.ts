import type { Clock, Random } from '../../actors/core/index.ts';
import { uniform, type Voice } from '../people/voice.ts';
import { SimulatedJitterBuffer, type PlayedPacket } from './jitter-buffer.ts';
import { Path } from './path.ts';
import type { NetworkProfile } from './profiles.ts';
import { SilenceKeeper } from './silence-keeper.ts';

export interface UplinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly profile: NetworkProfile;
  readonly packetMs: number;
  readonly isReliable: boolean;
  /** A lost packet is repaired from the next. */
  readonly repairs: boolean;
  readonly voice: Voice;
  readonly push: (samples: Float32Array) => void;
  /** Silence after which the runtime waits for nothing; packets of more of it are kept until the next sound. */
  readonly calmMs: number;
  /** What the mouth said between these times never reached the runtime. */
  readonly onMissing: (fromMs: number, toMs: number) => void;
}

/**
 * docs/spec/latency-data.md §5.5: concealment repeats the last sound, at full level for 10 ms, then a fifth less every
 * 10 ms: mean level of each 20 ms.
 */
const CONCEALED_LEVELS = [0.95, 0.6, 0.2];
const LEVEL_MS = 20;

/**
 * From the mouth to the runtime: capture, packets, network, and for RTP a jitter buffer. One call of `tick` per packet.
 */
export class Uplink {
  readonly path: Path;
  readonly jitterBuffer: SimulatedJitterBuffer | null;
  /** How long after it was said the runtime hears something, */
  lagMs: number;
  /** and until when what was said has been heard. */
  heardUntilMs: number;
  readonly #options: UplinkOptions;
  readonly #silence: SilenceKeeper;
  #ticks = 0;
  /** Activity at the end of the last packet that was there. */
  #lastActivity = 0;
  #concealedMs = 0;

  constructor(options: UplinkOptions) {
    const { calmMs, clock, packetMs, profile, push, random, isReliable, repairs } = options;
    this.#options = options;
    this.#silence = new SilenceKeeper(packetMs, calmMs, push);
    this.path = new Path(random, profile, packetMs, isReliable);
    this.lagMs = profile.captureMs + profile.baseMs;
    this.heardUntilMs = clock.nowMs() - this.lagMs;
    const startPackets = Math.ceil((profile.baseMs + 2 * profile.jitterMs) / packetMs) + 1;
    this.jitterBuffer = isReliable ? null : new SimulatedJitterBuffer(packetMs, startPackets, { repairs });
  }

  tick(): void {
    const { clock, packetMs, profile, voice } = this.#options;
    const nowMs = clock.nowMs();
    const arrivalMs = this.path.send(nowMs);
    if (!this.jitterBuffer) {
      const endMs = nowMs - profile.captureMs;
      const packet = voice.packet(endMs, packetMs);
      clock.setTimer((arrivalMs ?? nowMs) - nowMs, () => {
        this.#heard(endMs);
        this.#silence.push(packet);
      });
      return;
    }
    this.jitterBuffer.arrives(nowMs, arrivalMs);
    this.#ticks += 1;
    for (const played of this.jitterBuffer.play(nowMs)) this.#silence.push(this.#content(played, nowMs));
  }

  #heard(endMs: number): void {
    this.lagMs = this.#options.clock.nowMs() - endMs;
    this.heardUntilMs = endMs;
  }

  /** Ticks come at an even pace, so that a packet's number says when it was recorded. */
  #content({ packet, isThere }: PlayedPacket, nowMs: number): Float32Array {
    const { onMissing, packetMs, profile, voice } = this.#options;
    const endMs = nowMs - (this.#ticks - 1 - packet) * packetMs - profile.captureMs;
    if (isThere) {
      this.#heard(endMs);
      this.#concealedMs = 0;
      const samples = voice.packet(endMs, packetMs);
      this.#lastActivity = samples[samples.length - 1];
      return samples;
    }
    if (packet >= 0) onMissing(endMs - packetMs, endMs);
    const level = CONCEALED_LEVELS[Math.floor(this.#concealedMs / LEVEL_MS)] ?? 0;
    this.#concealedMs += packetMs;
    return uniform(this.#lastActivity * level, packetMs);
  }
}
