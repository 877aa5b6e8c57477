/** What a training scenario may say. Each default that the report does not give is an assumption, and says so. */
import { z } from 'zod';
import { RuntimeError } from '../../kernels/errors.ts';
import { readModel } from '../models/read-model.ts';
import { refusal } from '../scenarios/refusal.ts';
import { CHUNKS } from './schedules.ts';

const count = (max: number) => z.number().int().min(1).max(max);
const share = () => z.number().min(0.01).max(1);
const positive = () => z.number().positive();

const layout = z
  .strictObject({
    ep: count(512).default(32).describe('Expert parallel (docs/spec/model.md §7.6: chosen 32).'),
    cp: count(64).default(2).describe('Context parallel (chosen 2).'),
    pp: count(64)
      .default(14)
      .describe(
        'Pipeline stages. Assumption: the only divisor of 28 layers whose static memory is Table 3’s.',
      ),
    expertReplicas: count(1024)
      .default(8)
      .describe(
        'DP × CP ÷ EP: ranks that hold the same experts. Assumption: the power of two nearest to Table 3’s static memory.',
      ),
    encoderShards: z
      .number()
      .int()
      .min(0)
      .max(4096)
      .default(0)
      .describe('HSDP; 0 = half an inner group, as in Figure 8.'),
  })
  .prefault({});

const batch = z
  .strictObject({
    context: count(1_048_576)
      .default(8192)
      .describe('Positions of a micro-batch, for memory (Figure 10: 8 K).'),
    microBatches: count(1024)
      .default(56)
      .describe('A data-parallel group and step. Assumption: four a pipeline stage.'),
    sorted: z
      .boolean()
      .default(true)
      .describe('Sorted by text length before they are dealt out (docs/spec/model.md §7.4).'),
    imagesPerMicroBatch: positive().default(8).describe('Mean number of vision items. Assumption.'),
    audioItems: positive().default(3).describe('Mean number of audio items. Assumption.'),
    lengthSigma: positive()
      .default(1.2)
      .describe('Of the lognormal law of item lengths, cut at Figure 7’s greatest. Assumption.'),
  })
  .prefault({});

const machine = z
  .strictObject({
    peakTflops: positive().default(989).describe('H800, docs/spec/latency-data.md §1.1.'),
    hbmGbPerS: positive().default(3350).describe('Memory of a device.'),
    linkGbPerS: positive().default(50).describe('RDMA of one device, docs/spec/latency-data.md §1.2.'),
    nvlinkGbPerS: positive()
      .default(160)
      .describe('One direction, docs/spec/latency-data.md §1.2; the context-parallel ring.'),
    memoryGb: positive().default(72).describe('Budget of an 80 GB device (docs/spec/model.md §7.6).'),
    gemmMfu: share()
      .default(0.75)
      .describe('Dense products. docs/spec/model.md §7.6 gives 75 % of grouped ones; assumed of dense ones.'),
    attentionMfu: share().default(0.5).describe('Forward. Assumption.'),
    attentionBackward: share()
      .default(0.8)
      .describe('Speed of the deterministic backward (docs/spec/model.md §7.6).'),
    encoderMfu: share().default(0.4).describe('Small widths and ragged lengths. Assumption.'),
    hbmEfficiency: share().default(0.8).describe('Of elementwise work. Assumption.'),
    exchangeShare: z
      .number()
      .min(0)
      .max(0.9)
      .default(20 / 132)
      .describe('Of a device’s SMs that exchange experts’ tokens meanwhile. Assumption: 20 of 132.'),
  })
  .prefault({});

export const trainingSchema = z.strictObject({
  name: z.string().min(1).max(80).describe('Heads the report.'),
  about: z.string().default('').describe('What to look for.'),
  model: z.string().default('longcat-flash-omni').describe('One of sim/models.'),
  layout,
  batch,
  machine,
  encoders: z
    .enum(['decoupled', 'in-stage-0', 'own-ranks', 'none'])
    .default('decoupled')
    .describe('Where the encoders run; none: text only.'),
  encoderRanks: count(64).default(2).describe('With own-ranks: devices added to each inner group.'),
  bridgeChunks: count(1024).default(8).describe('Of ModalityBridge (docs/spec/model.md §7.5).'),
  schedule: z.enum(['1f1b', 'v-half']).default('v-half').describe('Of the pipeline.'),
  optimisations: z
    .strictObject({
      hsdp: z.boolean().default(true).describe('Encoders’ weights in shards.'),
      selectiveRecompute: z.boolean().default(true).describe('Norms and SwiGLU products are computed again.'),
      efficientPermute: z
        .boolean()
        .default(true)
        .describe('Experts’ outputs are not kept before they are weighed.'),
      ncclMemory: z.boolean().default(true).describe('Smaller buffers of NCCL.'),
    })
    .prefault({}),
  replications: count(100).default(5).describe('Steps with different draws.'),
});

export type TrainingScenario = z.infer<typeof trainingSchema>;

/** @throws RuntimeError `scenario.invalid`, or `sim.training-layout`: sizes that do not divide what they split */
export function parseTraining(content: unknown): TrainingScenario {
  const result = trainingSchema.safeParse(content ?? {});
  if (!result.success) throw refusal((content ?? {}) as object, result.error);
  checkLayout(result.data);
  return result.data;
}

function checkLayout({ layout, batch, schedule, model }: TrainingScenario): void {
  const { cp, ep, pp } = layout;
  const { layers } = readModel(model);
  const refuse = (message: string, values: Record<string, number>, remedy: string) => {
    throw new RuntimeError('sim.training-layout', message, values, remedy);
  };
  const chunks = CHUNKS[schedule];
  if (layers % (pp * chunks) !== 0)
    refuse(
      `${schedule} does not divide the layers among the pipeline stages.`,
      { layers, pp, chunks },
      `Use a pp of which ${chunks} times is a divisor of ${layers}.`,
    );
  if (ep % cp !== 0)
    refuse(
      'CP does not divide EP, whose ranks are DP × CP.',
      { ep, cp },
      'Use an ep that is a multiple of cp.',
    );
  if (batch.context % (2 * cp) !== 0)
    refuse(
      '2 × CP does not divide the context.',
      { context: batch.context, cp },
      'Use another context or cp.',
    );
}
