import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readPicture } from '../../cli/media/pictures.ts';
import { readWav } from '../../cli/media/wav.ts';
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

const read = (sound: Buffer, header?: Header) => readWav(file('sound.wav', wav(sound, header)));
const SOUND = Buffer.from(Int16Array.of(0, 16_384, -32_768, 1).buffer);

describe('a WAV file', () => {
  it('is read sample by sample', () => {
    expect(read(SOUND)).toEqual({ sampleRate: 16_000, samples: Float32Array.of(0, 0.5, -1, 1 / 32_768) });
  });

  it('written into a pipe, which cannot announce its length, is read to its end', () => {
    for (const announced of [0xffff_ffff, 0x7fff_ffff]) {
      expect(read(SOUND, { announced }).samples).toHaveLength(4);
    }
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
