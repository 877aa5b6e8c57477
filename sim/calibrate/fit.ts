/** From measured steps to a cost law. */
import type { EngineComponent } from '../../actors/core/index.ts';
import type { LinearCosts } from '../engines/cost-law.ts';
import type { StepLoad } from '../live/load-meter.ts';
import { quantile } from '../statistics/estimates.ts';

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

interface Equation {
  readonly x: readonly number[];
  readonly y: number;
  readonly weight: number;
}

/** One equation for each kind of step: the median of its times. Kinds count alike per step seen and relative to their size. */
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

/** Weighted least squares without negative coefficients: the most negative is set to 0 and the rest solved again. */
function leastSquares(equations: readonly Equation[], terms: number): number[] {
  const active = Array.from({ length: terms }, (_, i) => i);
  for (;;) {
    const solved = solveNormal(equations, active);
    const worst = solved.reduce((least, value, i) => (value < solved[least] ? i : least), 0);
    if (active.length === 0 || solved[worst] >= 0) {
      const coefficients = new Array<number>(terms).fill(0);
      active.forEach((term, i) => {
        coefficients[term] = solved[i];
      });
      return coefficients;
    }
    active.splice(worst, 1);
  }
}

/** Relative to the size of each term: what never varies together is told apart only as far as needed. */
const RIDGE = 1e-9;

function solveNormal(equations: readonly Equation[], active: readonly number[]): number[] {
  const rows = active.map((a, i) => {
    const row = active.map(b => equations.reduce((sum, { x, weight }) => sum + weight * x[a] * x[b], 0));
    row[i] = row[i] * (1 + RIDGE) + 1e-12;
    return [...row, equations.reduce((sum, { x, y, weight }) => sum + weight * x[a] * y, 0)];
  });
  for (let pivot = 0; pivot < rows.length; pivot++) {
    for (let row = 0; row < rows.length; row++) {
      if (row === pivot) continue;
      const factor = rows[row][pivot] / rows[pivot][pivot];
      for (let at = pivot; at <= rows.length; at++) rows[row][at] -= factor * rows[pivot][at];
    }
  }
  return rows.map((row, i) => row[rows.length] / row[i]);
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
