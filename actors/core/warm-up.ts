import { CODEBOOKS, type Engine, type RgbImage, textPositions } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

const PICTURE_SIDE = 224;
/** Sizes of which larger steps can be estimated. */
const POSITIONS = 64;
const CODE_FRAMES = 16;

/**
 * A step or two of every component, all at once: whoever comes first need not wait for code that was never run, it is
 * sure that all of them serve, and a supervisor learns what their steps cost. @throws (rejects) what a component
 * answers
 */
export async function warmUp(engine: Engine): Promise<void> {
  const steps = [languageModel(engine), audioEncoder(engine), visionEncoder(engine), speechTokenizer(engine)];
  await Promise.all([...steps, ganDecoder(engine)].map(step => step.catch(absent)));
}

function absent(error: unknown): void {
  if (!(error instanceof RuntimeError) || error.code !== 'engine.component-missing') throw error;
}

async function languageModel({ languageModel, model }: Engine): Promise<void> {
  const sequence = languageModel.open();
  try {
    const { bos } = model.tokens;
    await languageModel.step([
      { sequence, positions: textPositions(new Array<number>(POSITIONS).fill(bos)) },
    ]);
    await languageModel.step([{ sequence, positions: textPositions([bos]) }]);
  } finally {
    languageModel.close(sequence);
  }
}

async function audioEncoder({ audioEncoder, model }: Engine): Promise<void> {
  const stream = audioEncoder.open();
  try {
    await audioEncoder.step([{ stream, samples: new Float32Array(model.inputSampleRate), finish: true }]);
  } finally {
    audioEncoder.close(stream);
  }
}

async function visionEncoder({ visionEncoder }: Engine): Promise<void> {
  const data = new Uint8Array(3 * PICTURE_SIDE * PICTURE_SIDE);
  const picture: RgbImage = { width: PICTURE_SIDE, height: PICTURE_SIDE, data };
  await visionEncoder.step([{ frames: [picture], maxTokens: 0 }]);
}

async function speechTokenizer({ speechTokenizer, model }: Engine): Promise<void> {
  await speechTokenizer.step([{ samples: new Float32Array(model.inputSampleRate) }]);
}

async function ganDecoder({ ganDecoder }: Engine): Promise<void> {
  const stream = ganDecoder.open();
  try {
    await ganDecoder.step([{ stream, codes: new Int32Array(CODE_FRAMES * CODEBOOKS), finish: true }]);
  } finally {
    ganDecoder.close(stream);
  }
}
