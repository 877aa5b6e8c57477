import { beforeAll, describe, expect, it } from 'vitest';
import {
  advanceGeneration,
  type LanguageModel,
  loadLanguageModel,
  loadOnDevice,
  startGeneration,
} from '../../../kernels/components/language-model/index.ts';
import type { LanguageModelWork, SamplingRequest, StreamId } from '../../../kernels/engine/index.ts';
import { type Positions, textPositions } from '../../../kernels/engine/index.ts';
import type { CudaAddon } from '../../../kernels/native/cuda/addon.ts';
import { CudaDevice } from '../../../kernels/native/cuda/device.ts';
import { referenceOps } from '../../../kernels/reference-ops.ts';
import { openWeightFile } from '../../../kernels/weights/index.ts';
import { copyOf, editJson } from '../../support/model-directory.ts';
import { BUILD_MS, emulatedAddon, NO_EMULATION } from './emulated-device.ts';

const FIXTURES = 'test/fixtures/language-model';
const TOKENS = { eos: 2, pause: 137 };
const SMALL = { maxCachedPositions: 640, maxRows: 32 };

const request = (more: Partial<SamplingRequest> = {}): SamplingRequest => ({
  textHistory: new Int32Array(0),
  codeHistories: Array.from({ length: 4 }, () => new Int32Array(0)),
  ...{ temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1, draw: 0, speech: false },
  ...more,
});

/** Texts, codes and features, as a person's turn has them. */
function speechPrompt(): Positions {
  const file = openWeightFile(`${FIXTURES}/speech/case.safetensors`);
  const integers = (name: string) => file.integers(name, file.shapeOf(name));
  const features = file.floats('input.features', file.shapeOf('input.features'));
  return { textIds: integers('input.text_ids'), codes: integers('input.codes'), features };
}

interface Steps {
  open(): StreamId;
  step(batch: readonly LanguageModelWork[]): ReturnType<LanguageModel['step']>;
}

/** What a reply of some steps says, each fed back as the runtime does. */
function reply(model: Steps, prompt: Positions, steps: number, sampling: Partial<SamplingRequest>) {
  const sequence = model.open();
  const text: number[] = [];
  const codes: number[][] = [[], [], [], []];
  let state = startGeneration('speech');
  let positions: Positions | null = prompt;
  const said: number[][] = [];
  for (let n = 0; n < steps && positions; n++) {
    const histories = {
      textHistory: Int32Array.from(text),
      codeHistories: codes.map(ids => Int32Array.from(ids)),
    };
    const sample = request({ ...sampling, ...histories, draw: (n * 0.37) % 1, speech: true });
    const [answer] = model.step([{ sequence, positions, sample }]);
    const sampled = answer!.sampled!;
    said.push([sampled.text, ...sampled.codes]);
    const next = advanceGeneration(state, sampled, TOKENS);
    state = next.state;
    text.push(next.record.text);
    next.record.codes.forEach((code, i) => {
      codes[i].push(code);
    });
    positions = next.feedback;
  }
  return said;
}

describe.skipIf(NO_EMULATION !== null)('the language model on an emulated device', () => {
  let addon: CudaAddon;
  let device: CudaDevice;

  beforeAll(async () => {
    addon = await emulatedAddon('checked');
    device = new CudaDevice(addon);
  }, BUILD_MS);

  it.each([
    ['greedy', {}],
    ['drawn', { topK: 20, topP: 0.9, temperature: 0.8, repetitionPenalty: 1.2 }],
  ])('says what the reference says, %s', (_, sampling) => {
    const directory = `${FIXTURES}/speech`;
    const expected = reply(loadLanguageModel(directory, referenceOps), speechPrompt(), 4, sampling);
    const model = loadOnDevice(directory, device, SMALL);
    addon.seed?.(7);
    expect(reply(model, speechPrompt(), 4, sampling)).toEqual(expected);
  });

  /** The share of the wait token depends on every bit of every logit. */
  function shares(
    directory: string,
    cuts: number[],
    rows: number,
    others: number,
    cache: 'f32' | 'bf16',
    seed: number,
  ) {
    addon.seed?.(seed);
    const model = loadOnDevice(directory, device, { ...SMALL, maxRows: rows, cache });
    const prompt = Array.from({ length: 40 }, (_, i) => 5 + ((i * 7) % 20));
    const sequence = model.open();
    // Others come first, so that the sequence lies on other pages, and one of them goes.
    const beside = Array.from({ length: others }, () => model.open());
    const short = (id: StreamId) => ({ sequence: id, positions: textPositions([9, 8, id]) });
    if (others > 0) model.step(beside.map(short));
    if (others > 1) model.close(beside.shift()!);
    let share: number | null | undefined = null;
    let from = 0;
    for (const length of cuts) {
      const positions = textPositions(prompt.slice(from, from + length));
      from += length;
      const sample = request({ wantsWait: true });
      const [answer] = model.step([{ sequence, positions, sample }, ...beside.map(short)]);
      share = answer?.sampled?.waitProbability;
    }
    return share;
  }

  it('gives the same bits however a prompt is cut, with others in the batch, on other pages and in other orders', () => {
    const directory = copyOf(`${FIXTURES}/bf16-sharded`);
    editJson(`${directory}/config.json`, config => Object.assign(config, { wait_token_id: 4 }));
    const whole = shares(directory, [40], 32, 0, 'f32', 1);
    expect(whole).toBeGreaterThan(0);
    expect(shares(directory, [33, 7], 32, 0, 'f32', 2)).toBe(whole);
    expect(shares(directory, [38, 1, 1], 16, 3, 'f32', 3)).toBe(whole);
    expect(shares(directory, [39, 1], 9, 0, 'f32', 4)).toBe(whole);
    const rounded = shares(directory, [40], 32, 0, 'bf16', 5);
    expect(rounded).not.toBe(whole);
    expect(shares(directory, [20, 20], 32, 2, 'bf16', 6)).toBe(rounded);
  });

  it('refuses what does not fit, and goes on', () => {
    const model = loadOnDevice(`${FIXTURES}/f32`, device, SMALL);
    const sequence = model.open();
    const work = (count: number) => [
      { sequence, positions: textPositions(new Array<number>(count).fill(5)) },
    ];
    expect(() => model.step(work(100_000))).toThrow(/context has an end/);
    expect(model.step(work(3))).toEqual([{ length: 3 }]);
    expect(() => loadOnDevice(`${FIXTURES}/f32`, device, { maxCachedPositions: 1e9 })).toThrow(
      expect.objectContaining({ code: 'cuda.memory' }),
    );
  });
});
