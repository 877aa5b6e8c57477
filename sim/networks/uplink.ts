import type { Clock, Random } from '../../actors/core/index.ts';
import { uniform, type Voice } from '../people/voice.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { Path } from './path.ts';
import type { NetworkProfile } from './profiles.ts';

export interface UplinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly profile: NetworkProfile;
  readonly packetMs: number;
  readonly isReliable: boolean;
  readonly voice: Voice;
  readonly push: (samples: Float32Array) => void;
}

/** From the mouth to the runtime: capture, packets, network, and for RTP a jitter buffer. One call of `tick` per packet. */
export class Uplink {
  readonly path: Path;
  readonly jitterBuffer: JitterBuffer | null;
  readonly #options: UplinkOptions;
  /** Capture times of the packets that are under way, by number. */
  readonly #endsMs = new Map<number, number>();
  #packets = 0;

  constructor(options: UplinkOptions) {
    const { packetMs, profile, random, isReliable } = options;
    this.#options = options;
    this.path = new Path(random, profile, isReliable);
    const startPackets = Math.ceil((profile.baseMs + 2 * profile.jitterMs) / packetMs) + 1;
    this.jitterBuffer = isReliable ? null : new JitterBuffer(packetMs, startPackets);
  }

  tick(): void {
    const { clock, packetMs, profile, push, voice } = this.#options;
    const nowMs = clock.nowMs();
    const endMs = nowMs - profile.captureMs;
    const arrivalMs = this.path.send(nowMs);
    if (!this.jitterBuffer) {
      const packet = voice.packet(endMs, packetMs);
      clock.setTimer((arrivalMs ?? nowMs) - nowMs, () => push(packet));
      return;
    }
    this.jitterBuffer.arrives(nowMs, arrivalMs);
    this.#endsMs.set(this.#packets++, endMs);
    for (const packet of this.jitterBuffer.play(nowMs)) push(this.#content(packet));
  }

  /** A packet that is not there is concealed with silence. */
  #content(packet: number): Float32Array {
    const { packetMs, voice } = this.#options;
    const endMs = this.#endsMs.get(packet);
    for (const known of this.#endsMs.keys()) {
      if (packet >= 0 && known <= packet) this.#endsMs.delete(known);
      else break;
    }
    return endMs === undefined ? uniform(0, packetMs) : voice.packet(endMs, packetMs);
  }
}
