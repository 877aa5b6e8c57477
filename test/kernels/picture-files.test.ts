/** Pictures that come as files: unpacked where somebody looks at them, and one that cannot be harms no other. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { FrameSampler } from '../../actors/perceive/frame-sampler.ts';
import {
  PartlyFailed,
  type PictureFile,
  type RgbImage,
  type VisionEncoderEngine,
  type VisionEncoderWork,
} from '../../kernels/engine/index.ts';
import { UnpackingVisionEncoder } from '../../kernels/engine/unpacking-vision-encoder.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { readPictureHeader, unpackPicture } from '../../kernels/pictures/index.ts';

const SIZE = { width: 12, height: 8 };

async function fileOf(background: string, format: PictureFile['format'] = 'png'): Promise<PictureFile> {
  const made = sharp({ create: { ...SIZE, channels: 3, background } });
  return { ...SIZE, format, bytes: new Uint8Array(await made.toFormat(format).toBuffer()) };
}

/** Its header is that of a picture; what follows is none. */
async function spoiltFile(): Promise<PictureFile> {
  const file = await fileOf('red');
  const bytes = file.bytes.slice();
  bytes.fill(0x55, 40, bytes.length - 12);
  return { ...file, bytes };
}

/** Answers with the first colour of what it is shown. */
class Witness implements VisionEncoderEngine<RgbImage> {
  readonly shown: RgbImage[] = [];
  fault: RuntimeError | null = null;

  async step(batch: readonly VisionEncoderWork<RgbImage>[]) {
    if (this.fault) throw this.fault;
    return batch.map(({ frames }) => {
      this.shown.push(...frames);
      return { vectors: Float32Array.from(frames[0].data.subarray(0, 3)), count: 1, grid: [1, 1] as const };
    });
  }
}

const workOf = (...frames: PictureFile[]) => ({ frames, maxTokens: 4 }) as unknown as VisionEncoderWork;

describe('a picture file', () => {
  it('is told by its header, and has the pixels that its format says', async () => {
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const { bytes } = await fileOf('#336699', format);
      expect(await readPictureHeader(bytes, ['png', 'jpeg', 'webp'])).toEqual({ ...SIZE, format });
      const { data, ...size } = await unpackPicture({ bytes, format }, 0);
      expect([size, data.length]).toEqual([SIZE, 12 * 8 * 3]);
      for (const [i, value] of [0x33, 0x66, 0x99].entries())
        expect(Math.abs(data[i] - value)).toBeLessThan(4);
    }
  });

  it('of another format, or larger than any, is refused', async () => {
    const { bytes } = await fileOf('red', 'webp');
    await expect(readPictureHeader(bytes, ['png', 'jpeg'])).rejects.toMatchObject({
      code: 'picture.unsupported',
    });
    // Whatever was said of it.
    await expect(unpackPicture({ bytes, format: 'png' }, 0)).rejects.toMatchObject({
      code: 'picture.unsupported',
    });
    const create = { width: 4097, height: 1, channels: 3, background: 'red' } as const;
    const long = await sharp({ create }).png().toBuffer();
    await expect(readPictureHeader(long, ['png'])).rejects.toMatchObject({ code: 'picture.unsupported' });
    await expect(readPictureHeader(Uint8Array.of(1, 2, 3), ['png'])).rejects.toMatchObject({
      code: 'picture.unreadable',
    });
  });
});

describe('the vision encoder', () => {
  it('sees the same of a file as of its pixels', async () => {
    const witness = new Witness();
    const encoder = new UnpackingVisionEncoder(witness, 0);
    const [red, blue] = [await fileOf('red'), await fileOf('blue')];
    const pixels = await unpackPicture(red, 0);
    const [one, pair] = await encoder.step([workOf(red), workOf(blue, red)]);
    expect([[...one!.vectors], [...pair!.vectors]]).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ]);
    expect(witness.shown).toEqual([pixels, await unpackPicture(blue, 0), pixels]);
  });

  it('answers those beside one that cannot be unpacked, also where the encoder fails too', async () => {
    const witness = new Witness();
    const encoder = new UnpackingVisionEncoder(witness, 0);
    const batch = [workOf(await fileOf('red')), workOf(await spoiltFile()), workOf(await fileOf('blue'))];
    const codesOf = (error: unknown) =>
      (error as PartlyFailed).ends.map(end => (end instanceof RuntimeError ? end.code : 'answer'));
    const partly = await encoder.step(batch).then(null, error => error);
    expect(partly).toBeInstanceOf(PartlyFailed);
    expect(codesOf(partly)).toEqual(['answer', 'picture.unreadable', 'answer']);
    witness.fault = new RuntimeError('engine.failed', 'It fails.');
    expect(codesOf(await encoder.step(batch).then(null, error => error))).toEqual([
      'engine.failed',
      'picture.unreadable',
      'engine.failed',
    ]);
    await expect(encoder.step([batch[0]])).rejects.toBe(witness.fault);
  });

  it('is given two of a second of film, and unpacks no others', async () => {
    const witness = new Witness();
    const encoder = new UnpackingVisionEncoder(witness, 0);
    const film = await Promise.all(Array.from({ length: 30 }, (_, i) => fileOf(`rgb(${i},0,0)`)));
    const sampler = new FrameSampler();
    sampler.startUtterance();
    for (const [i, frame] of film.entries()) sampler.push(frame, (i * 1000) / 30);
    const { unit } = sampler.advance(1000);
    await encoder.step([{ frames: unit!.frames, maxTokens: 4 }]);
    expect(witness.shown.map(({ data }) => data[0])).toEqual([0, 14]);
  });
});
