/** Room for keys and values: what the devices have beside the weights, and what the sessions take of it. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { ModelSpec } from '../models/model-schema.ts';
import type { MemoryUse } from '../results.ts';
import { ACCELERATORS, type AcceleratorName } from './hardware.ts';
import { cacheBytesPerToken, weightBytesPerDevice } from './model-arithmetic.ts';

/** Share of a device's memory that is not set apart for activations and buffers (D). */
const USABLE = 0.9;

/** Positions that fit. @throws RuntimeError `sim.memory` where not even the weights do */
export function cachePositions(model: ModelSpec, accelerator: AcceleratorName, devices: number): number {
  const memoryBytes = ACCELERATORS[accelerator].memoryGb * 1e9 * USABLE;
  const weightBytes = weightBytesPerDevice(model, devices);
  const positions = Math.floor((memoryBytes - weightBytes) / cacheBytesPerToken(model));
  if (positions > 0) return positions * devices;
  let enough = devices + 1;
  while (enough <= 4096 && weightBytesPerDevice(model, enough) >= memoryBytes) enough += 1;
  const values = {
    model: model.name,
    devices,
    weightsGbEach: Number((weightBytes / 1e9).toFixed(1)),
    usableGbEach: Number((memoryBytes / 1e9).toFixed(1)),
  };
  const remedy =
    enough <= 4096
      ? `Set engine.decodeDevices to ${enough} or more.`
      : 'What every device holds is too large for this accelerator: choose another.';
  throw new RuntimeError(
    'sim.memory',
    'The model does not fit into the memory of its devices.',
    values,
    remedy,
  );
}

/** Each open context takes what it reserved, or what it has grown to. */
export class KvMemory {
  readonly capacityPositions: number;
  readonly #reserved: number;
  readonly #lengths = new Map<number, number>();
  #taken = 0;
  #most = 0;

  /** @param reservedPositions kept for each session from its beginning */
  constructor(capacityPositions: number, reservedPositions: number) {
    this.capacityPositions = capacityPositions;
    this.#reserved = reservedPositions;
  }

  /** Whether one more session can be taken where so many are open; some of them may not have a context yet. */
  hasRoomBeside(sessions: number): boolean {
    const without = Math.max(0, sessions - this.#lengths.size);
    return this.#taken + (without + 1) * this.#reserved <= this.capacityPositions;
  }

  get use(): MemoryUse {
    return { capacityPositions: this.capacityPositions, mostPositions: this.#most };
  }

  /** The context of a sequence has this length now. */
  holds(sequence: number, length: number): void {
    const before = this.#lengths.get(sequence);
    const now = Math.max(this.#reserved, length);
    this.#lengths.set(sequence, now);
    this.#taken += now - (before ?? 0);
    if (this.#taken > this.#most) this.#most = this.#taken;
  }

  closes(sequence: number): void {
    this.#taken -= this.#lengths.get(sequence) ?? 0;
    this.#lengths.delete(sequence);
  }
}
