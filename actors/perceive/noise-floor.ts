/** The noise of the room, band by band: the least smoothed energy of the last parts. */

/** Of the last 1.6 s, in eight parts. */
const PARTS = 8;
const PART_FRAMES = 10;
/** The minimum lies below the mean of the noise. */
const BIAS_DB = 4;
const SMOOTHING = 0.3;

export class NoiseFloor {
  readonly #bands: number;
  readonly #smoothed: Float64Array;
  readonly #floor: Float64Array;
  readonly #parts: Float64Array[] = [];
  #frames = 0;

  /** @param loudestDb no floor is higher before more than a frame was heard, so that whoever speaks at once is heard */
  constructor(bands: number, loudestDb: number) {
    this.#bands = bands;
    this.#smoothed = new Float64Array(bands);
    this.#floor = new Float64Array(bands);
    for (let i = 0; i < PARTS; i++) this.#parts.push(new Float64Array(bands).fill(loudestDb));
  }

  /** `energies` of one more frame of the room, dB. The floor per band, until the next call. */
  update(energies: Float64Array): Float64Array {
    const rate = this.#frames === 0 ? 1 : SMOOTHING;
    for (let band = 0; band < this.#bands; band++)
      this.#smoothed[band] += rate * (energies[band] - this.#smoothed[band]);
    if (this.#frames % PART_FRAMES === 0) this.#begin();
    const part = this.#parts[PARTS - 1];
    for (let band = 0; band < this.#bands; band++) {
      part[band] = Math.min(part[band], this.#smoothed[band]);
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < PARTS; i++) least = Math.min(least, this.#parts[i][band]);
      this.#floor[band] = least + BIAS_DB;
    }
    this.#frames += 1;
    return this.#floor;
  }

  #begin(): void {
    const part = this.#parts.shift()!;
    part.set(this.#smoothed);
    this.#parts.push(part);
  }
}
