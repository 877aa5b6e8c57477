/** From measured steps to a cost law. */
import type { EngineComponent } from '../../actors/core/index.ts';
import type { LinearCosts } from '../engines/cost-law.ts';
import type { StepLoad } from '../live/load-meter.ts';
import { quantile } from '../statistics/estimates.ts';
import { type Equation, leastSquares } from '../statistics/least-squares.ts';

export interface MeasuredStep {
  readonly load: StepLoad;
  readonly ms: number;
}

/** How well the law describes a component's steps. */
export interface FitQuality {
  readonly component: EngineComponent;
  readonly steps: number;
  /** Of the steps as measured. */
  readonly medianMs: number;
  readonly p95Ms: number;
  /** Median over the steps of |predicted − measured|. */
  readonly medianErrorMs: number;
}

/** What the cost is linear in, by component; the names are those of `LinearCosts`. */
const TERMS = {
  languageModel: ['stepMs', 'perDecodeMs', 'perPrefillPositionMs', 'perContextPositionMs'],
  audioEncoder: ['stepMs', 'perSecondMs'],
  visionEncoder: ['stepMs', 'perTokenMs'],
  speechTokenizer: ['stepMs', 'perSecondMs'],
  ganDecoder: ['stepMs', 'perFrameMs'],
} as const satisfies Record<EngineComponent, readonly string[]>;

/** Steps that take longer than this share of their kind are interruptions by the machine, not costs. */
const TYPICAL = 0.5;

/** A component without a measured step costs nothing. No cost is negative. */
export function fitCosts(steps: readonly MeasuredStep[]): {
  readonly costs: LinearCosts;
  readonly quality: readonly FitQuality[];
} {
  const quality: FitQuality[] = [];
  const fitted = Object.entries(TERMS).map(([name, terms]) => {
    const component = name as EngineComponent;
    const own = steps.filter(({ load }) => load.component === component);
    const coefficients = own.length > 0 ? leastSquares(typical(own), terms.length) : terms.map(() => 0);
    if (own.length > 0) quality.push(qualityOf(component, own, coefficients));
    return [component, Object.fromEntries(terms.map((term, i) => [term, coefficients[i]]))];
  });
  return { costs: Object.fromEntries(fitted) as LinearCosts, quality };
}

/**
 * One equation for each kind of step: the median of its times. Kinds count alike per step seen and relative to their
 * size.
 */
function typical(steps: readonly MeasuredStep[]): Equation[] {
  const kinds = new Map<string, { x: number[]; times: number[] }>();
  for (const { load, ms } of steps) {
    const x = termsOf(load);
    const key = x.join(' ');
    const kind = kinds.get(key) ?? { x, times: [] };
    kinds.set(key, kind);
    kind.times.push(ms);
  }
  return [...kinds.values()].map(({ x, times }) => {
    const y = quantile(
      times.sort((a, b) => a - b),
      TYPICAL,
    );
    return { x, y, weight: times.length / Math.max(y, 1e-3) };
  });
}

function termsOf(load: StepLoad): number[] {
  if (load.component === 'languageModel') {
    const { decodes, decodeContext, prefillPositions, prefillContext } = load.load;
    return [1, decodes, prefillPositions, decodeContext + prefillContext];
  }
  if (load.component === 'visionEncoder') return [1, load.tokens];
  if (load.component === 'ganDecoder') return [1, load.frames];
  return [1, load.audioMs / 1000];
}

function qualityOf(
  component: EngineComponent,
  steps: readonly MeasuredStep[],
  coefficients: readonly number[],
): FitQuality {
  const predicted = ({ load }: MeasuredStep) =>
    termsOf(load).reduce((sum, x, i) => sum + x * coefficients[i], 0);
  const times = steps.map(({ ms }) => ms).sort((a, b) => a - b);
  const errors = steps.map(step => Math.abs(predicted(step) - step.ms)).sort((a, b) => a - b);
  return {
    component,
    steps: steps.length,
    medianMs: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    medianErrorMs: quantile(errors, 0.5),
  };
}
