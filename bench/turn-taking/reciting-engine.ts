/**
 * The engine of the barge-in trials: nano hears (its audio encoder and caption head), the agent recites a recording. So
 * every trial interrupts the same eight seconds of real speech, and what is measured is hearing, deciding and play-out.
 */
import type { Engine, GanDecoderWork, StreamId } from '../../kernels/engine/index.ts';
import { zeroLatencyEngine } from '../../test/support/zero-latency-engine.ts';

const FRAMES = 133;

/** `recording`: 24 kHz, of the agent. */
export function recitingEngine(nano: Engine, recording: Float32Array): Engine {
  const text = 'one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve.';
  const scripted = zeroLatencyEngine({
    replies: [[{ text, frames: FRAMES }]],
    hiddenSize: nano.model.hiddenSize,
  });
  return {
    ...scripted,
    model: { ...scripted.model, hearsWords: nano.model.hearsWords },
    audioEncoder: nano.audioEncoder,
    ganDecoder: new Player(recording),
  };
}

class Player {
  readonly #recording: Float32Array;
  readonly #at = new Map<StreamId, number>();
  #next = 1;

  constructor(recording: Float32Array) {
    this.#recording = recording;
  }

  open(): StreamId {
    this.#at.set(this.#next, 0);
    return this.#next++;
  }

  close(stream: StreamId): void {
    this.#at.delete(stream);
  }

  async step(batch: readonly GanDecoderWork[]) {
    return batch.map(({ stream, codes }) => {
      const at = this.#at.get(stream);
      if (at === undefined) return null;
      const samples = Float32Array.from(
        { length: (codes.length / 4) * 1440 },
        (_, i) => this.#recording[(at + i) % this.#recording.length],
      );
      this.#at.set(stream, at + samples.length);
      return { samples };
    });
  }
}
