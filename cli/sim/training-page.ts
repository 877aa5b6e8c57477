/** docs/training-parallelism.md as text. */
import {
  bestOf,
  type GridPoint,
  type Measured,
  type TableRow,
  type TrainingResult,
} from '../../sim/training/index.ts';
import { errorOf, holds } from '../../sim/validation/check.ts';
import { table } from './markdown-table.ts';
import { smallText } from './training-small.ts';
import { shown } from './training-text.ts';

const ORIGINS = {
  derived: 'prediction, given the assumptions',
  fitted: '**no prediction**: an assumption was chosen by it',
  taken: '**no prediction**: taken from the report',
} as const;

const INTRODUCTION = `# Training under modality-decoupled parallelism, simulated

Written by \`longcat-rt sim training --write sim/scenarios/training-*.yaml\`. Published values are those of docs/spec/model.md §7.6; "error" is simulated
over published, less one. The same parallelism is run for real, and to the bit, on four processes: [train/parallel](../train/parallel/README.md).`;

const ASSUMPTIONS = `## What is assumed

Set in \`sim/training/schema.ts\`, each to be changed by \`--set\`. The report gives neither the number of stages nor of devices.

- **Pipeline 14, experts in 8 copies** (so DP × CP = 256, 3584 devices): of the divisors of 28 layers and the powers of two the pair that gives Table 3's static memory, with weights in bf16,
  gradients in float32 and ZeRO-1 shards of Adam. Static rows are therefore no prediction; the dynamic ones do not depend on it (28 layers × micro-batches in flight are the same for 7 stages).
- **4096 positions a device**: 8 K context (Figure 10) over CP 2. What a position keeps is counted from the model's equations as eager autograd keeps it.
  Fused or not is a choice: of the ways to count, the one within 3 % was taken (SwiGLU not fused; fused gives 93 GB).
- **Encoders' memory**: the audio encoder frozen (docs/spec/model.md §7.3), bf16 gradients, projectors with pp0; HSDP over half an inner group, as in Figure 8.
- **What is recomputed** is not published: norms and SwiGLU products are what fits. **NCCL and DeepEP buffers** are the report's numbers.
- **Work** is drawn from Table 2: beta laws with its four numbers each, independent of one another; a third of it is the forward. Micro-batches are sorted by their language work. Lengths
  of items are lognormal, cut at Figure 7's greatest.
- **Efficiency**: experts' products as in Figure 10, dense ones 75 %, attention 50 % forward and four fifths of that backward (deterministic), encoders 40 %, elementwise work at 80 % of the
  memory's speed. Experts' exchange (docs/spec/latency-data.md §1.3) runs beside the dense path on 20 of 132 SMs. Keys and values go round the context-parallel ring over NVLink.
- **Own ranks** and **stage 0** encode whole micro-batches; sorting is by text, so the groups that go in step wait for the one with most pictures.
- A micro-batch of Table 2 has more work than 8 K positions have by our arithmetic (1520 TFLOP forward and backward; the table's mean is 3531): time is computed from the
  table's work, memory from 8 K. The two tables may be of
  different settings.
- In our 1F1B the peak of activations is on pp0; the report has it elsewhere, without saying why.`;

export interface PageParts {
  readonly table3: readonly TableRow[];
  readonly table4: readonly TableRow[];
  readonly grid: readonly GridPoint[];
  readonly results: readonly TrainingResult[];
  /** Of the four-process run. */
  readonly runs: readonly Measured[];
}

export function trainingPage({ table3, table4, grid, results, runs }: PageParts): string {
  const parts = [
    INTRODUCTION,
    throughput(results),
    `## Table 3: memory of a device before anything was done\n\n${memoryTable(table3)}`,
    `## Table 4: memory after each optimisation\n\n${memoryTable(table4)}`,
    gridText(grid),
    runs.length > 0 ? smallText(runs) : null,
    ASSUMPTIONS,
  ];
  return `${parts.filter(part => part !== null).join('\n\n')}\n`;
}

export function memoryTable(rows: readonly TableRow[]): string {
  const percent = (value: number) => `${(value * 100).toFixed(1).replace('-0.0', '0.0').replace('-', '−')} %`;
  const cells = rows.map(row => [
    row.quantity,
    row.published.toFixed(row.digits),
    row.simulated.toFixed(row.digits),
    `${percent(errorOf(row))}${holds(row) ? '' : ' **missed**'}`,
    ORIGINS[row.origin],
    row.because,
  ]);
  return table(['GB', 'published', 'simulated', 'error', 'what it is', 'from'], cells);
}

function throughput(results: readonly TrainingResult[]): string {
  const cells = results.map(result => [
    result.scenario.name,
    String(result.devices),
    shown(result.throughput, 100, 1, '%'),
    shown(result.stepMs, 1e-3, 2, 's'),
    `${shown(result.bubble, 100, 1, '%')}`,
    `${result.memory.totalGb.toFixed(1)} GB`,
  ]);
  const [first] = results;
  const text =
    first &&
    `Text alone: a step of ${shown(first.textOnlyMs, 1e-3, 2, 's')}, bubbles ${shown(first.textOnlyBubble, 100, 1, '%')} (${first.scenario.schedule}).`;
  return `## Throughput against text alone

Steps a second and device over those of the same language model without encoders, on the same micro-batches; the report says more than 90 %. 95 % intervals over steps with
different draws. Nothing here was fitted to a throughput. ${text ?? ''}

${table(['scenario', 'devices', 'throughput of text alone', 'step', 'bubbles', 'memory'], cells)}`;
}

export function gridText(grid: readonly GridPoint[]): string {
  const best = bestOf(grid);
  const cells = grid.map(point => [
    `CP ${point.cp} EP ${point.ep}${point === best ? ' **best**' : ''}`,
    `${point.mfu[0].toFixed(3)} / ${point.mfu[1].toFixed(3)}`,
    `${point.totalGb.toFixed(1)}${point.fits ? '' : ' too much'}`,
    point.tokenUs.toFixed(2),
    point.ringUs.toFixed(2),
    point.exchangeUs.toFixed(2),
    (point.stepMs / 1000).toFixed(2),
  ]);
  return `## Figure 10's grid

The same devices and global batch, text alone. The report chose EP 32 × CP 2. Here it is the best because: CP 1 does not fit and neither does EP 16 or less with CP 2; with EP 64 the
products are a little faster, but tokens go to twice as many nodes, and the exchange takes more of the device than that; CP 4 makes
products slower and its ring is longer than the attention that hides it.
(The ring is what decides against CP 4: a pipeline with twice as many micro-batches has smaller bubbles, which would outweigh the slower products by about 6 %.)

${table(['layout', 'MFU FC1 / FC2', 'memory, GB', 'token and layer, µs', 'of it ring', 'exchange, one way', 'step, s'], cells)}`;
}
