/** What `longcat-rt sim training` prints. */
import type { Estimate } from '../../sim/statistics/estimates.ts';
import type { TrainingResult } from '../../sim/training/index.ts';

export function trainingText(results: readonly TrainingResult[]): string {
  return results.map(resultText).join('\n\n');
}

function resultText(result: TrainingResult): string {
  const { scenario, devices, bridgeGb, example } = result;
  const { layout } = scenario;
  const decoupled = scenario.encoders === 'decoupled';
  const lines = [
    scenario.name,
    `  EP ${layout.ep} × CP ${layout.cp} × PP ${layout.pp}, ${devices} devices, ${scenario.schedule}, encoders ${scenario.encoders}`,
    `  throughput of text alone   ${shown(result.throughput, 100, 1, '%')}`,
    `  step                       ${shown(result.stepMs, 1e-3, 2, 's')}`,
    `  step of text alone         ${shown(result.textOnlyMs, 1e-3, 2, 's')}`,
    `  bubbles                    ${shown(result.bubble, 100, 1, '%')}`,
    `  bubbles of text alone      ${shown(result.textOnlyBubble, 100, 1, '%')}`,
    `  memory of a device         ${memoryText(result)}`,
    ...(decoupled
      ? [
          `  bridge, on pp0 besides     stored ${gb(bridgeGb.stored)}, passing ${gb(bridgeGb.passing)} on inner rank 0 (${scenario.bridgeChunks} chunks)`,
        ]
      : []),
    `  a stage's time             ${Object.entries(example.byLabel)
      .map(([label, ms]) => `${label} ${(ms / 1000).toFixed(2)} s`)
      .join(', ')}`,
  ];
  return lines.join('\n');
}

function memoryText({ memory, scenario }: TrainingResult): string {
  const { languageStaticGb, encodersStaticGb, dynamicGb, othersGb, totalGb } = memory;
  const { memoryGb } = scenario.machine;
  const parts = `language model ${gb(languageStaticGb)}, encoders ${gb(encodersStaticGb)}, activations ${gb(dynamicGb)}`;
  const verdict = totalGb > memoryGb ? ` — more than ${memoryGb} GB` : '';
  return `${gb(totalGb)}: ${parts}, others ${gb(othersGb)}${verdict}`;
}

const gb = (value: number) => `${value.toFixed(1)} GB`;

export function shown(
  { n, value, interval }: Estimate,
  factor: number,
  digits: number,
  unit: string,
): string {
  const number = (each: number) => (each * factor).toFixed(digits);
  const bounds = interval ? ` [${number(interval[0])}, ${number(interval[1])}]` : '';
  return `${number(value)} ${unit}${bounds}, n ${n}`;
}
