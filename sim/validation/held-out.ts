/**
 * Public figures that nothing here was fitted to: the roofline of each model, with two numbers taken from
 * LongCat-Flash's BF16 rows (how much slower than the sheets a step is, and what a block takes beside arithmetic),
 * asked about other models, machines and sizes (docs/spec/latency-data.md §3.2, §3.3, §3.4).
 */
import { batchPerDevice, LONGCAT_ROWS, MEASURED_DEVICES, stepMs } from '../engines/measured.ts';
import { attentionBlocks } from '../engines/model-arithmetic.ts';
import { type Cluster, decodeStepMs, stagesMs } from '../engines/roofline.ts';
import type { ModelSpec } from '../models/model-schema.ts';
import { readModel } from '../models/read-model.ts';
import type { Check } from './check.ts';

const LONGCAT = readModel('longcat-flash-omni');
const DEEPSEEK = readModel('deepseek-v3');
const QWEN = readModel('qwen3-omni-30b');
const MOSHI = readModel('moshi');
/** Moshi's kind of network over the same frames, without a depth transformer (docs/spec/latency-data.md §2.4). */
const STT: ModelSpec = {
  ...MOSHI,
  name: 'Kyutai STT 1B',
  ...{ layers: 16, hidden: 2048, vocabulary: 8000 },
  attention: {
    ...MOSHI.attention,
    heads: 16,
    kvHeads: 16,
    headDim: 128,
    window: 750,
  } as ModelSpec['attention'],
  dense: { ...MOSHI.dense!, inner: 5632 },
  stages: [],
};

/** A step takes `blockMs` for each attention block and `slower` times what the sheets say. */
interface HeldOutCalibration {
  readonly slower: number;
  readonly blockMs: number;
}

function clusterOf(model: ModelSpec, accelerator: Cluster['accelerator'], devices: number): Cluster {
  return { model, accelerator, devices, prefillDevices: 0, stepOverheadMs: 0, blockOverheadMs: 0 };
}

/** Least squares through the three BF16 rows. */
export function calibrateRoofline(): HeldOutCalibration {
  const rows = LONGCAT_ROWS.filter(({ attention }) => attention === 'BF16');
  const cluster = clusterOf(LONGCAT, 'H800', MEASURED_DEVICES);
  const x = rows.map(row =>
    decodeStepMs(cluster, Math.round(batchPerDevice(row)) * MEASURED_DEVICES, row.meanContext),
  );
  const y = rows.map(stepMs);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const slower =
    x.reduce((sum, value, i) => sum + (value - meanX) * (y[i] - meanY), 0) /
    x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  return { slower, blockMs: (meanY - slower * meanX) / attentionBlocks(LONGCAT) };
}

/** What the law leaves out, of rows that are off by more than the goal. */
const WHY = {
  plain:
    'whether a step verified a drafted token is not public; both figures are means of a day, 1850 / 21 = 88 sequences a device',
  drafted:
    'the same; 0.85 is the acceptance that their report names, at the 0.6 of SGLang’s row it would be 20.5',
  overlap:
    'with overlap the step is met (SGLang, batch 256); without it the law has 126 ms, the published figures together 115: what overlaps within one batch is not in it',
  moshi:
    'the width of the weights is not public: to read 16 bits of each at the rate of the sheet alone makes 212 ms, 8 bits 202; the rest is launches',
  thinker:
    'card and engine are not public, and the engine decides: the same thinker is published at 13.3 ms a token here and at 7.0 two rows below',
  served:
    'the time to launch a block is LongCat’s in SGLang (0.18 ms); an engine that replays a whole step as one graph has next to none, and the sheet alone makes 1.7 ms',
  talker:
    'as above: of 19.8 ms a frame 17 are launches of the law’s, 15 steps of five blocks and one of twenty',
  recogniser:
    'the codec that makes tokens of the sound (Mimi) shares the card and is not in the law; the step alone leaves time for five times real time',
};

/** The law as it stands: a step of all sequences, and the stages behind it. */
interface Law {
  step(cluster: Cluster, sequences: number, context: number): number;
  stages(cluster: Cluster, sequences: number): number;
  mtp(cluster: Cluster): number;
}

export function heldOut(): Check[] {
  const { blockMs, slower } = calibrateRoofline();
  const stages = (cluster: Cluster, sequences: number) =>
    slower * stagesMs(cluster, sequences) +
    blockMs * cluster.model.stages.reduce((sum, stage) => sum + stage.layers * stage.stepsPerFrame, 0);
  const law: Law = {
    step: (cluster, sequences, context) =>
      slower * decodeStepMs({ ...cluster, blockOverheadMs: blockMs / slower }, sequences, context),
    stages,
    mtp: cluster => {
      const only = cluster.model.stages.filter(({ name }) => name === 'MTP module');
      return stages({ ...cluster, model: { ...cluster.model, stages: only } }, 1);
    },
  };
  return [...longCat(law), ...deepSeek(law), ...smallModels(law)];
}

function line(quantity: string, unit: string, published: number, simulated: number, why?: string): Check {
  const digits = quantity.startsWith('Moshi') ? 0 : 1;
  return { quantity, unit, published, simulated, why, limit: null, digits };
}

function longCat({ step }: Law): Check[] {
  const cluster = clusterOf(LONGCAT, 'H800', MEASURED_DEVICES);
  return LONGCAT_ROWS.filter(({ attention }) => attention === 'FP8').map(row => {
    const batch = Math.round(batchPerDevice(row));
    return line(
      `LongCat-Flash, 128 H800, FP8 attention, batch ${batch}: step`,
      'ms',
      stepMs(row),
      step(cluster, batch * MEASURED_DEVICES, row.meanContext),
    );
  });
}

function deepSeek({ step }: Law): Check[] {
  const sglang = clusterOf(DEEPSEEK, 'H100', 72);
  const production = clusterOf(DEEPSEEK, 'H800', 144);
  const single = clusterOf({ ...DEEPSEEK, overlap: 'none' }, 'H100', 72);
  const gain = (perDevice: number) =>
    (step(single, perDevice * 72, 2000) / step(sglang, perDevice * 72, 2000) - 1) * 100;
  return [
    line(
      'DeepSeek-V3, SGLang, 72 H100, batch 256, 2000 positions: step',
      'ms',
      91.9,
      step(sglang, 256 * 72, 2000),
    ),
    line(
      'DeepSeek-V3, SGLang, batch 128, 4000 positions, 1.6 tokens a step: step',
      'ms',
      // 17 373 tokens a second of eight devices.
      (128 * 1.6 * 8 * 1000) / 17_373,
      step({ ...sglang, model: { ...DEEPSEEK, draft: { tokens: 1, acceptance: 0.6 } } }, 128 * 72, 4000),
    ),
    line(
      'DeepSeek-V3, production, 144 H800, batch 88, a token a step: of one user',
      'tokens/s',
      21,
      1000 / step(production, 88 * 144, 4989),
      WHY.plain,
    ),
    line(
      '… the same with a drafted token, accepted 0.85 of the time',
      'tokens/s',
      21,
      1850 /
        step(
          { ...production, model: { ...DEEPSEEK, draft: { tokens: 1, acceptance: 0.85 } } },
          88 * 144,
          4989,
        ),
      WHY.drafted,
    ),
    line('two-batch overlap at 32 tokens a device', '%', -27, gain(32)),
    line('two-batch overlap at 256', '%', 25.5, gain(256), WHY.overlap),
  ];
}

function smallModels({ step, stages, mtp }: Law): Check[] {
  const moshi = clusterOf(MOSHI, 'L4', 1);
  const qwen = clusterOf(QWEN, 'H200', 1);
  const served = clusterOf(QWEN, 'H100', 1);
  const framesMs = MOSHI.speech.frameMs * (1 + MOSHI.speech.delayFrames);
  const onL4Ms = framesMs + step(moshi, 1, MOSHI.attention.window ?? 0) + stages(moshi, 1);
  return [
    line('Moshi, in theory: a frame and the acoustic delay', 'ms', 160, framesMs),
    line('Moshi on an L4: the same and a step', 'ms', 200, onL4Ms, WHY.moshi),
    line(
      'Qwen3-Omni, taken for one H200: tokens of the thinker',
      'tokens/s',
      75,
      1000 / step(qwen, 1, 1000),
      WHY.thinker,
    ),
    line('Qwen3-Omni, taken for one H200: MTP module, a frame', 'ms', 14, mtp(qwen)),
    line(
      'Qwen3-Omni in vLLM-Omni, H100, one request: a token of the thinker',
      'ms',
      6.97,
      step(served, 1, 2900),
      WHY.served,
    ),
    line(
      'Qwen3-Omni in vLLM-Omni, eight requests: a frame of talker and MTP module',
      'ms',
      // A real-time factor of 0.1689.
      0.1689 * QWEN.speech.frameMs,
      stages(served, 8),
      WHY.talker,
    ),
    line(
      'Kyutai STT 1B on an L40S, 64 streams: times real time',
      '×',
      3,
      STT.speech.frameMs / step(clusterOf(STT, 'L40S', 1), 64, STT.attention.window ?? 0),
      WHY.recogniser,
    ),
  ];
}
