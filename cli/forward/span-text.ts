import type { StepSpan } from '../../kernels/components/language-model/index.ts';

const COLUMNS = 60;

/** The spans of one step as bars on a common scale: what stands below each other ran at the same time. */
export function spanText(step: number, spans: readonly StepSpan[]): string {
  const endUs = Math.max(...spans.map(({ endedUs }) => endedUs), 1);
  const at = (us: number) => Math.round((us / endUs) * COLUMNS);
  const lines = spans.map(({ layer, part, rank, beganUs, endedUs }) => {
    const bar = `${' '.repeat(at(beganUs))}${'█'.repeat(Math.max(at(endedUs) - at(beganUs), 1))}`;
    const name = `layer ${layer} ${part}${rank === null ? '' : ` ${rank}`}`;
    return `  ${name.padEnd(20)} ${beganUs.toFixed(0).padStart(6)} – ${endedUs.toFixed(0).padStart(6)} µs ${bar}`;
  });
  return [`step ${step}:`, ...lines].join('\n');
}
