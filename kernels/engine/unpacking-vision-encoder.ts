import { atMostTwo, unpackPicture } from '../pictures/index.ts';
import { asRuntimeError } from './channel.ts';
import {
  isPictureFile,
  type Picture,
  type RgbImage,
  type VisionEncoderAnswer,
  type VisionEncoderEngine,
  type VisionEncoderWork,
} from './engine.ts';
import { PartlyFailed } from './partly-failed.ts';

type Answers = (VisionEncoderAnswer | null)[];
type UnpackedWork = VisionEncoderWork<RgbImage>;

/**
 * A vision encoder that takes files too: what nobody looks at is never unpacked. One that cannot be unpacked fails by
 * itself (`PartlyFailed`), and those beside it in the batch are answered.
 */
export class UnpackingVisionEncoder implements VisionEncoderEngine {
  readonly #inner: VisionEncoderEngine<RgbImage>;
  readonly #modelPixels: number;

  /** @param modelPixels of the largest picture that the model looks at */
  constructor(inner: VisionEncoderEngine<RgbImage>, modelPixels: number) {
    this.#inner = inner;
    this.#modelPixels = modelPixels;
  }

  step(batch: readonly VisionEncoderWork[]): PromiseLike<Answers> {
    return batch.every(isUnpacked) ? this.#inner.step(batch) : this.#unpackAndStep(batch);
  }

  async #unpackAndStep(batch: readonly VisionEncoderWork[]): Promise<Answers> {
    const works = await Promise.all(batch.map(work => this.#unpack(work).catch(asRuntimeError)));
    const whole = works.filter(work => 'frames' in work);
    if (whole.length === works.length) return await this.#inner.step(whole);
    const ends = whole.length > 0 ? await this.#endsOf(whole) : [];
    let next = 0;
    throw new PartlyFailed(works.map(work => ('frames' in work ? ends[next++] : work)));
  }

  /** Each its answer, or what it failed of. */
  async #endsOf(works: readonly UnpackedWork[]): Promise<readonly unknown[]> {
    try {
      return await this.#inner.step(works);
    } catch (error) {
      return error instanceof PartlyFailed ? error.ends : works.map(() => asRuntimeError(error));
    }
  }

  async #unpack({ frames, maxTokens }: VisionEncoderWork): Promise<UnpackedWork> {
    const [first, second] = await Promise.all(frames.map(frame => this.#pixels(frame)));
    return { frames: second ? [first, second] : [first], maxTokens };
  }

  async #pixels(frame: Picture): Promise<RgbImage> {
    return isPictureFile(frame) ? await atMostTwo(() => unpackPicture(frame, this.#modelPixels)) : frame;
  }
}

const isUnpacked = (work: VisionEncoderWork): work is UnpackedWork => !work.frames.some(isPictureFile);
