import type { G711, G711Law } from './index.ts';

/** G.711 table 2: magnitudes are offset by 33 in 14-bit steps (132 in 16-bit steps) so that segments double. */
const MU_BIAS = 132;
const MU_CLIP = 32767 - MU_BIAS;

function decodeMuLaw(byte: number): number {
  const code = ~byte & 0xff;
  const segment = (code >> 4) & 7;
  const magnitude = ((((code & 15) << 3) + MU_BIAS) << segment) - MU_BIAS;
  return code & 0x80 ? -magnitude : magnitude;
}

function encodeMuLaw(sample: number): number {
  const negative = sample < 0;
  const biased = Math.min(negative ? ~sample : sample, MU_CLIP) + MU_BIAS;
  const segment = 24 - Math.clz32(biased);
  return ~((negative ? 0x80 : 0) | (segment << 4) | ((biased >> (segment + 3)) & 15)) & 0xff;
}

/** G.711 table 1: segments 0 and 1 share one step of 16 (in 16-bit steps), the others double. */
function decodeALaw(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code >> 4) & 7;
  const middle = ((code & 15) << 4) + 8;
  const magnitude = segment === 0 ? middle : (middle + 256) << (segment - 1);
  return code & 0x80 ? magnitude : -magnitude;
}

function encodeALaw(sample: number): number {
  const negative = sample < 0;
  const magnitude = negative ? ~sample : sample;
  const segment = Math.max(24 - Math.clz32(magnitude), 0);
  const step = (magnitude >> Math.max(segment + 3, 4)) & 15;
  return ((negative ? 0 : 0x80) | (segment << 4) | step) ^ 0x55;
}

/** The sample of each byte, and the byte of each 16-bit sample, the lowest first. */
export interface Tables {
  readonly decoded: Float32Array;
  readonly encoded: Uint8Array;
}

function tablesOf(decodeByte: (byte: number) => number, encodeSample: (sample: number) => number): Tables {
  return {
    decoded: Float32Array.from({ length: 256 }, (_, byte) => decodeByte(byte) / 32768),
    encoded: Uint8Array.from({ length: 65536 }, (_, index) => encodeSample(index - 32768)),
  };
}

export const tables: Readonly<Record<G711Law, Tables>> = {
  'mu-law': tablesOf(decodeMuLaw, encodeMuLaw),
  'a-law': tablesOf(decodeALaw, encodeALaw),
};

function fromTables({ decoded, encoded }: Tables): G711 {
  return {
    decode(bytes, out = new Float32Array(bytes.length)) {
      for (let i = 0; i < bytes.length; i++) out[i] = decoded[bytes[i]];
      return out;
    },
    encode(samples, out = new Uint8Array(samples.length)) {
      for (let i = 0; i < samples.length; i++) {
        const rounded = Math.round(samples[i] * 32768);
        out[i] = encoded[Math.min(Math.max(rounded || 0, -32768), 32767) + 32768];
      }
      return out;
    },
  };
}

export const g711: Readonly<Record<G711Law, G711>> = {
  'mu-law': fromTables(tables['mu-law']),
  'a-law': fromTables(tables['a-law']),
};
