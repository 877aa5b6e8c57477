/**
 * The language model's step on a CUDA device: milliseconds by the number of conversations that decode at once, and how
 * many fit into one code frame of 60 ms. Names the card; says so and exits with 2 where there is none. Emulated steps
 * are not timed.
 *
 *   node --import tsx bench/cuda.ts [model directory]
 */
import { Command } from 'commander';
import type { DeviceLanguageModel } from '../kernels/components/language-model/device-language-model.ts';
import { loadOnDevice } from '../kernels/components/language-model/index.ts';
import { textPositions } from '../kernels/engine/index.ts';
import { openCudaDevice } from '../kernels/native/cuda/device.ts';

const CONVERSATIONS = [1, 4, 16, 64, 128, 256, 512, 1024];
const PROMPT = 48;
const WARM_UP = 3;
const STEPS = 30;
const CODE_FRAME_MS = 60;

const SAMPLE = {
  textHistory: new Int32Array(0),
  codeHistories: Array.from({ length: 4 }, () => new Int32Array(0)),
  ...{ temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1, draw: 0, speech: true },
};

/** Of steps in which every conversation decodes one position. */
function medianStepMs(model: DeviceLanguageModel, conversations: number): number {
  const sequences = Array.from({ length: conversations }, () => model.open());
  const prompt = textPositions(Array.from({ length: PROMPT }, (_, i) => 200 + i));
  for (const sequence of sequences) model.step([{ sequence, positions: prompt }]);
  const next = textPositions([200]);
  const batch = sequences.map(sequence => ({ sequence, positions: next, sample: SAMPLE }));
  const times: number[] = [];
  for (let n = 0; n < WARM_UP + STEPS; n++) {
    const began = performance.now();
    model.step(batch);
    if (n >= WARM_UP) times.push(performance.now() - began);
  }
  for (const sequence of sequences) model.close(sequence);
  return times.sort((a, b) => a - b)[times.length >> 1];
}

const { args } = new Command('cuda').argument('[directory]', 'of the model; models/nano').parse();
const directory = args[0] ?? 'models/nano';
const device = openCudaDevice();
if (typeof device === 'string' || device.isEmulated) {
  const reason = typeof device === 'string' ? device : 'only an emulated one, whose time says nothing';
  console.error(`Not measured: no CUDA device (${reason}).`);
  process.exit(2);
}
const { name, capability } = device.description;
const positions = Math.max(...CONVERSATIONS) * 128;
const model = loadOnDevice(directory, device, { maxCachedPositions: positions });
console.log(
  `${name}, sm_${capability}; ${directory}, ${(model.deviceBytes / 2 ** 20).toFixed(0)} MiB planned`,
);
console.log('conversations  median ms of a step  steps in 60 ms');
for (const conversations of CONVERSATIONS) {
  const ms = medianStepMs(model, conversations);
  const frames = (CODE_FRAME_MS / ms).toFixed(1);
  console.log(`${String(conversations).padStart(13)}  ${ms.toFixed(3).padStart(19)}  ${frames.padStart(14)}`);
}
