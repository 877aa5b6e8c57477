/** Sub-band ADPCM of ITU-T G.722; the blocks and tables are named as there (clauses 3, 4 and 6.2). */
import type { G722Decoder, G722Encoder } from './index.ts';

/** Decision levels of the lower band's quantizer, and the codes on either side of zero. */
const Q6 = [
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
  1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
const ILN = [
  0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7,
  6, 5, 4,
];
const ILP = [
  0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36,
  35, 34, 33, 32,
];
/** Inverse quantizers: 6 and 4 bits below, 2 bits above. */
const QM6 = Int32Array.of(
  ...[-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360],
  ...[-8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032],
  ...[-1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576],
  ...[7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728],
  ...[432, 136, -432, -136],
);
const QM4 = Int32Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200],
  ...[20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
);
const QM2 = Int32Array.of(-7408, -1616, 7408, 1616);
/** How the scale moves, by code. */
const WL = Int32Array.of(-60, -30, 58, 172, 334, 538, 1198, 3042);
const RL42 = Int32Array.of(0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0);
const WH = Int32Array.of(0, -214, 798);
const RH2 = Int32Array.of(2, 1, 2, 1);
/** 2048 · 2^(n/32): the scale out of its logarithm. */
const ILB = Int32Array.from({ length: 32 }, (_, n) => Math.round(2048 * 2 ** (n / 32)));
/** Half of the symmetrical 24 taps that part the bands. */
const QMF = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11);
const TAPS = 24;

const saturate = (value: number): number => Math.min(32767, Math.max(-32768, value));
const within = (value: number, limit: number): number => Math.min(limit, Math.max(-limit, value));

/** One band's scale and predictor. */
class Band {
  /** Step of the quantizer. */
  det: number;
  /** What is predicted. */
  s = 0;
  #nb = 0;
  #sz = 0;
  #a1 = 0;
  #a2 = 0;
  #p1 = 0;
  #p2 = 0;
  #r1 = 0;
  readonly #b = new Int32Array(6);
  /** The last six differences, the newest first. */
  readonly #d = new Int32Array(6);
  readonly #nbLimit: number;
  readonly #shift: number;

  constructor(det: number, nbLimit: number, shift: number) {
    this.det = det;
    this.#nbLimit = nbLimit;
    this.#shift = shift;
  }

  /** Blocks 3 (LOGSCL, SCALE) and 4 (the predictor), after a difference `d` whose code moves the scale by `w`. */
  adapt(d: number, w: number): void {
    const nb = Math.min(Math.max(((this.#nb * 127) >> 7) + w, 0), this.#nbLimit);
    this.#nb = nb;
    const level = ILB[(nb >> 6) & 31];
    const shift = this.#shift - (nb >> 11);
    this.det = (shift < 0 ? level << -shift : level >> shift) << 2;
    this.#predict(d);
  }

  #predict(d: number): void {
    const r = saturate(this.s + d);
    const p = saturate(this.#sz + d);
    this.#poles(p);
    this.#zeros(d);
    this.#p2 = this.#p1;
    this.#p1 = p;
    const sp = saturate(
      ((this.#a1 * saturate(r + r)) >> 15) + ((this.#a2 * saturate(this.#r1 + this.#r1)) >> 15),
    );
    this.#r1 = r;
    let sz = 0;
    for (let i = 5; i >= 0; i--) sz += (this.#b[i] * saturate(2 * this.#d[i])) >> 15;
    this.#sz = saturate(sz);
    this.s = saturate(sp + this.#sz);
  }

  /** UPPOL2, UPPOL1. */
  #poles(p: number): void {
    const isLikeLast = p < 0 === this.#p1 < 0;
    const isLikeBefore = p < 0 === this.#p2 < 0;
    const four = saturate(this.#a1 << 2);
    const towards = Math.min(isLikeLast ? -four : four, 32767);
    const a2 = within((isLikeBefore ? 128 : -128) + (towards >> 7) + ((this.#a2 * 32512) >> 15), 12288);
    const a1 = saturate((isLikeLast ? 192 : -192) + ((this.#a1 * 32640) >> 15));
    this.#a1 = within(a1, saturate(15360 - a2));
    this.#a2 = a2;
  }

  /** UPZERO, and the delay line. */
  #zeros(d: number): void {
    const step = d === 0 ? 0 : 128;
    for (let i = 5; i >= 0; i--) {
      const isAlike = this.#d[i] < 0 === d < 0;
      this.#b[i] = saturate((isAlike ? step : -step) + ((this.#b[i] * 32640) >> 15));
    }
    this.#d.copyWithin(1, 0, 5);
    this.#d[0] = d;
  }
}

const lowerBand = () => new Band(32, 18432, 8);
const upperBand = () => new Band(8, 22528, 10);

export function g722Decoder(): G722Decoder {
  const low = lowerBand();
  const high = upperBand();
  const line = new Int32Array(TAPS);
  return {
    decode(bytes) {
      const samples = new Float32Array(2 * bytes.length);
      for (let n = 0; n < bytes.length; n++) {
        const code = bytes[n];
        const il = code & 63;
        const ih = code >> 6;
        const rLow = within(low.s + ((low.det * QM6[il]) >> 15), 16383);
        low.adapt((low.det * QM4[il >> 2]) >> 15, WL[RL42[il >> 2]]);
        const dHigh = (high.det * QM2[ih]) >> 15;
        const rHigh = within(high.s + dHigh, 16383);
        high.adapt(dHigh, WH[RH2[ih]]);
        line.copyWithin(0, 2);
        line[22] = rLow + rHigh;
        line[23] = rLow - rHigh;
        let [first, second] = [0, 0];
        for (let i = 0; i < 12; i++) {
          second += line[2 * i] * QMF[i];
          first += line[2 * i + 1] * QMF[11 - i];
        }
        samples[2 * n] = saturate(first >> 11) / 32768;
        samples[2 * n + 1] = saturate(second >> 11) / 32768;
      }
      return samples;
    },
  };
}

export function g722Encoder(): G722Encoder {
  const low = lowerBand();
  const high = upperBand();
  const line = new Int32Array(TAPS);
  let odd: number | null = null;
  const byteOf = (earlier: number, later: number): number => {
    line.copyWithin(0, 2);
    line[22] = earlier;
    line[23] = later;
    let [odds, evens] = [0, 0];
    for (let i = 0; i < 12; i++) {
      odds += line[2 * i] * QMF[i];
      evens += line[2 * i + 1] * QMF[11 - i];
    }
    const il = quantizeLow(saturate(((evens + odds) >> 14) - low.s), low.det);
    low.adapt((low.det * QM4[il >> 2]) >> 15, WL[RL42[il >> 2]]);
    const ih = quantizeHigh(saturate(((evens - odds) >> 14) - high.s), high.det);
    high.adapt((high.det * QM2[ih]) >> 15, WH[RH2[ih]]);
    return (ih << 6) | il;
  };
  return {
    encode(samples) {
      const waiting = odd === null ? 0 : 1;
      const bytes = new Uint8Array((samples.length + waiting) >> 1);
      let at = 0;
      for (let n = 0; n < bytes.length; n++) {
        const earlier = odd ?? sixteenBits(samples[at++]);
        odd = null;
        bytes[n] = byteOf(earlier, sixteenBits(samples[at++]));
      }
      if (at < samples.length) odd = sixteenBits(samples[at]);
      return bytes;
    },
  };
}

const sixteenBits = (sample: number): number => saturate(Math.round(sample * 32768) || 0);

/** QUANTL: six bits. */
function quantizeLow(el: number, det: number): number {
  const magnitude = el >= 0 ? el : -(el + 1);
  let i = 1;
  while (i < 30 && magnitude >= (Q6[i] * det) >> 12) i++;
  return el < 0 ? ILN[i] : ILP[i];
}

/** QUANTH: two bits. */
function quantizeHigh(eh: number, det: number): number {
  const isLarge = (eh >= 0 ? eh : -(eh + 1)) >= (564 * det) >> 12;
  return eh < 0 ? (isLarge ? 0 : 1) : isLarge ? 2 : 3;
}
