import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { readPicture } from '../../cli/media/pictures.ts';
import { readWav } from '../../cli/media/wav.ts';
import { decodeWav, encodeWav } from '../../cli/media/wav-format.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-media-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

interface Header {
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits?: number;
  /** Bytes of sound that the header announces; absent: those that are there. */
  readonly announced?: number;
}

function wav(sound: Buffer, { tag = 1, channels = 1, rate = 16_000, bits = 16, announced }: Header = {}) {
  const head = Buffer.alloc(44);
  head.write('RIFF....WAVEfmt ');
  head.writeUInt32LE(36 + sound.length, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(tag, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(announced ?? sound.length, 40);
  return Buffer.concat([head, sound]);
}

/** The same file with the header of 40 bytes that ffmpeg gives to floats (Microsoft, WAVEFORMATEXTENSIBLE). */
function extensible(plain: Buffer, tag: number): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt16LE(22, 0);
  head.writeUInt16LE(plain.readUInt16LE(34), 2);
  head.writeUInt16LE(tag, 8);
  head.write('000000001000800000aa00389b71', 10, 'hex');
  const bytes = Buffer.concat([plain.subarray(0, 36), head, plain.subarray(36)]);
  bytes.writeUInt32LE(40, 16);
  bytes.writeUInt16LE(0xfffe, 20);
  return bytes;
}

const read = (sound: Buffer, header?: Header) => readWav(file('sound.wav', wav(sound, header)));
const SOUND = Buffer.from(Int16Array.of(0, 16_384, -32_768, 1).buffer);

describe('a WAV file', () => {
  it('is read sample by sample', () => {
    expect(read(SOUND)).toEqual({ sampleRate: 16_000, samples: Float32Array.of(0, 0.5, -1, 1 / 32_768) });
  });

  it('written into a pipe, which cannot announce its length, is read to its end', () => {
    for (const announced of [0, 0xffff_ffff, 0x7fff_ffff, 0x8000_0000]) {
      expect(read(SOUND, { announced }).samples).toHaveLength(4);
    }
    const [empty, list] = [Buffer.alloc(0), Buffer.from('LIST\x04\0\0\0INFO')];
    expect(read(empty, { announced: 0 }).samples).toHaveLength(0);
    expect(read(list, { announced: 0 }).samples).toHaveLength(0);
  });

  it('with more than four gigabytes announced behind its RF64 header is read', () => {
    const bytes = wav(SOUND, { announced: 0xffff_ffff });
    const sizes = Buffer.alloc(36);
    sizes.write('ds64');
    sizes.writeUInt32LE(28, 4);
    sizes.writeBigUInt64LE(BigInt(SOUND.length), 16);
    const more = Buffer.from('LIST\x04\0\0\0INFO');
    const long = Buffer.concat([bytes.subarray(0, 12), sizes, bytes.subarray(12), more]);
    long.write('RF64');
    expect(readWav(file('long.wav', long)).samples).toHaveLength(4);
  });

  // By hand; those of G.711 are in its tables: 4191 of 8192 for the µ-law code, 1056 of 4096 for the A-law one.
  it.each([
    ['8-bit integers', 1, 8, Buffer.of(192), 0.5],
    ['16-bit integers', 1, 16, Buffer.of(0, 0x40), 0.5],
    ['24-bit integers', 1, 24, Buffer.of(0, 0, 0x40), 0.5],
    ['32-bit integers', 1, 32, Buffer.of(0, 0, 0, 0x40), 0.5],
    ['32-bit floats', 3, 32, Buffer.from(Float32Array.of(0.5).buffer), 0.5],
    ['64-bit floats', 3, 64, Buffer.from(Float64Array.of(0.5).buffer), 0.5],
    ['µ-law', 7, 8, Buffer.of(0x8f), 4191 / 8192],
    ['A-law', 6, 8, Buffer.of(0xb5), 1056 / 4096],
  ] as const)(
    'of %s is read alike behind a plain and an extensible header',
    (_name, tag, bits, sound, value) => {
      const plain = wav(Buffer.concat([sound, Buffer.alloc(sound.length % 2)]), {
        tag,
        bits,
        announced: sound.length,
      });
      for (const bytes of [plain, extensible(plain, tag)])
        expect(readWav(file('coded.wav', bytes)).samples[0]).toBeCloseTo(value, 6);
    },
  );

  it('behind a private extensible header, or of a coding that needs a decoder, is refused with its name', () => {
    const privately = extensible(wav(SOUND), 1);
    privately[59] ^= 1;
    expect(() => readWav(file('private.wav', privately))).toThrow('private sub-format');
    expect(() => read(SOUND, { tag: 49, bits: 0 })).toThrow('GSM 6.10');
    expect(() => read(SOUND, { tag: 2, bits: 4 })).toThrow('Microsoft ADPCM');
  });

  it('is read as an independent library reads what it wrote itself', () => {
    const sample = fc.integer({ min: -32_768, max: 32_767 });
    const depths = fc.constantFrom('8', '16', '24', '32', '32f', '64');
    fc.assert(
      fc.property(fc.array(fc.tuple(sample, sample), { minLength: 1 }), depths, (frames, depth) => {
        const peer = new wavefile.WaveFile();
        peer.fromScratch(2, 22_050, '16', [frames.map(([left]) => left), frames.map(([, right]) => right)]);
        peer.toBitDepth(depth);
        const { channels, sampleRate } = decodeWav(Buffer.from(peer.toBuffer()));
        expect(sampleRate).toBe(22_050);
        const tolerance = depth === '8' ? 1 / 64 : 1 / 16_000;
        for (const [side, samples] of channels.entries())
          for (const [at, value] of samples.entries())
            expect(Math.abs(value - frames[at][side] / 32_768)).toBeLessThanOrEqual(tolerance);
      }),
      { numRuns: 50 },
    );
  });

  it('that we write comes back', () => {
    const samples = Float32Array.of(0, 0.5, -0.5, 1, -1, 2);
    const { channels, sampleRate } = decodeWav(encodeWav(samples, 24_000));
    expect(sampleRate).toBe(24_000);
    for (const [at, value] of channels[0].entries()) expect(value).toBeCloseTo(Math.min(1, samples[at]), 4);
  });

  it.each([
    ['that was cut short', SOUND, { announced: 4000 }, 'cut short: 8 of 4000 bytes'],
    ['of another coding', SOUND, { tag: 85 }, 'format tag 85'],
    ['with odd sample widths', SOUND, { bits: 12 }, '12 bits'],
    ['without channels', SOUND, { channels: 0 }, '0 channels'],
    ['with a channel for every seat', SOUND, { channels: 65_535 }, '65535 channels'],
    ['without time', SOUND, { rate: 0 }, '0 Hz'],
    ['at four gigahertz', SOUND, { rate: 4e9 }, '4000000000 Hz'],
    ['with infinities', Buffer.from(Float32Array.of(0, 1 / 0).buffer), { tag: 3, bits: 32 }, 'no finite'],
  ] as const)('%s is refused, with the reason', (_name, sound, header, reason) => {
    expect(() => read(sound, header)).toThrow(reason);
    expect(() => read(sound, header)).toThrow(expect.objectContaining({ code: 'media.unreadable' }));
  });

  it('with damage anywhere is read or refused, never worse', () => {
    const whole = readFileSync('test/fixtures/talk/two-turns.wav').subarray(0, 4000);
    const damage = fc.array(fc.tuple(fc.nat(63), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.nat(4000), (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          readWav(file('damaged.wav', bytes.subarray(0, length)));
        } catch (error) {
          expect(error).toBeInstanceOf(RuntimeError);
        }
      }),
    );
  });
});

describe('a picture', () => {
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const hugePng = () => {
    const head = Buffer.alloc(13);
    head.writeUInt32BE(50_000, 0);
    head.writeUInt32BE(50_000, 4);
    head.set([8, 2, 0, 0, 0], 8);
    const signature = Buffer.from('89504e470d0a1a0a', 'hex');
    return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.alloc(1000)))]);
  };

  it.each([
    ['of no bytes', Buffer.alloc(0)],
    ['that is text', Buffer.from('no picture')],
    [
      'that is a drawing with links',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    ['that unpacks to gigabytes', hugePng()],
  ])('%s is refused', async (_name, bytes) => {
    const refused = expect.objectContaining({ code: 'media.unreadable' });
    await expect(readPicture(file('picture.png', bytes))).rejects.toEqual(refused);
  });
});
