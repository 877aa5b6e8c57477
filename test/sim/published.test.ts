/** Published figures (docs/spec/latency-data.md §1–§3). The numbers of docs/validation.md come from here. */
import { describe, expect, it } from 'vitest';
import { closedFormDecode, DECODE_MODELS } from '../../sim/engines/closed-form.ts';
import { ACCELERATORS, allToAllGbPerS } from '../../sim/engines/hardware.ts';
import {
  activeParameters,
  cacheBytesPerToken,
  flopsPerToken,
  parametersOf,
  totalParameters,
} from '../../sim/engines/model-arithmetic.ts';
import {
  batchPerDevice,
  fitStepLine,
  LONGCAT_ROWS,
  predictStepMs,
  stepMs,
} from '../../sim/engines/measured.ts';
import { readModel } from '../../sim/models/read-model.ts';
import { attentionBlockUs, decodeStepMs, kvTransferMs } from '../../sim/engines/roofline.ts';
import { errorOf as shareOf } from '../../sim/validation/check.ts';
import { heldOut } from '../../sim/validation/held-out.ts';

const LONGCAT = readModel('longcat-flash-omni');
const PARAMETERS = parametersOf(LONGCAT);
const errorOf = (simulated: number, published: number) => Math.abs(simulated / published - 1);

describe('the model’s arithmetic', () => {
  it('has the published parameters', () => {
    expect(PARAMETERS.experts / 1e9).toBeCloseTo(541.2, 1);
    expect(PARAMETERS.attention / 1e9).toBeCloseTo(5.07, 2);
    expect(PARAMETERS.dense / 1e9).toBeCloseTo(12.68, 2);
    expect(PARAMETERS.embeddings / 1e9).toBeCloseTo(1.61, 2);
    expect(totalParameters(LONGCAT) / 1e9).toBeCloseTo(560.5, 1);
  });

  it('activates 18.6 to 31.2 billion, 27 on average', () => {
    expect(activeParameters(LONGCAT, 0) / 1e9).toBeCloseTo(18.6, 1);
    expect(activeParameters(LONGCAT, 8) / 1e9).toBeCloseTo(27.0, 1);
    expect(activeParameters(LONGCAT, 12) / 1e9).toBeCloseTo(31.2, 1);
    expect(flopsPerToken(LONGCAT) / 1e9).toBeCloseTo(54, 0);
  });

  it('keeps 64 512 bytes of cache per token', () => {
    expect(cacheBytesPerToken(LONGCAT)).toBe(64_512);
    expect(kvTransferMs(LONGCAT, 1000)).toBeCloseTo((1000 * 64_512) / 50e6, 9);
  });
});

describe('the closed-form decode table', () => {
  it.each([
    ['DeepSeek-V3', 275, 77, 551, 30, 0.17],
    ['Qwen3-235B-A22B', 157, 29, 315, 26.2, 0.15],
    ['LongCat-Flash', 236, 60, 472, 16, 0.09],
  ] as const)(
    'of %s agrees within 3 percent in every cell but attention',
    (name, dispatch, moe, combine, tpot, dollars) => {
      const step = closedFormDecode(DECODE_MODELS[name], 96);
      expect(errorOf(step.dispatchUs, dispatch)).toBeLessThan(0.03);
      expect(errorOf(step.moeUs, moe)).toBeLessThan(0.03);
      expect(errorOf(step.combineUs, combine)).toBeLessThan(0.03);
      expect(errorOf(step.msPerToken, tpot)).toBeLessThan(0.03);
      // The table prints cents: half a cent of rounding.
      expect(Math.abs(step.dollarsPerMillionTokens - dollars)).toBeLessThan(0.0125);
    },
  );
});

describe('LongCat-Flash as measured', () => {
  const bf16 = LONGCAT_ROWS.filter(({ attention }) => attention === 'BF16');
  const fp8 = LONGCAT_ROWS.filter(({ attention }) => attention === 'FP8');

  it('is a straight line through the BF16 rows', () => {
    const line = fitStepLine(bf16);
    expect(line.stepMs).toBeCloseTo(16.17, 1);
    expect(line.perSequenceMs + 5000 * line.perPositionMs).toBeCloseTo(0.353, 2);
    for (const row of bf16)
      expect(Math.abs(predictStepMs(line, batchPerDevice(row), 5000) - stepMs(row))).toBeLessThan(0.13);
  });

  it('predicts the FP8 rows, which it has not seen, within 5 %', () => {
    const line = fitStepLine(bf16);
    for (const row of fp8) {
      const predicted = predictStepMs(line, batchPerDevice(row), row.meanContext);
      expect(errorOf(predicted, stepMs(row))).toBeLessThan(0.05);
    }
  });
});

describe('the roofline', () => {
  const cluster = {
    model: { ...LONGCAT, draft: { tokens: 0, acceptance: 0 } },
    accelerator: 'H800',
    devices: 16,
    prefillDevices: 0,
    stepOverheadMs: 0,
    blockOverheadMs: 0,
  } as const;

  it('gives the published attention cell of LongCat-Flash within 3 %', () => {
    expect(errorOf(attentionBlockUs(LONGCAT, 'H800', 96, 5000, 2), 264)).toBeLessThan(0.03);
  });

  it('never gets faster with more sequences or a longer context', () => {
    const sizes = [1, 16, 17, 64, 256, 1024];
    const times = sizes.map(sequences => decodeStepMs(cluster, sequences, 3000));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(decodeStepMs(cluster, 64, 8000)).toBeGreaterThan(decodeStepMs(cluster, 64, 1000));
  });

  it('is no faster than reading what it must read', () => {
    const { hbmGbPerS } = ACCELERATORS.H800;
    const denseAndAttentionBytes = PARAMETERS.dense + 2 * PARAMETERS.attention;
    expect(decodeStepMs(cluster, 1, 0)).toBeGreaterThanOrEqual(
      denseAndAttentionBytes / (hbmGbPerS * 1e6) - 1e-9,
    );
  });

  it('takes the exchange from the table and between its rows', () => {
    expect(allToAllGbPerS('dispatch', 128)).toBe(39);
    expect(allToAllGbPerS('combine', 32)).toBe(53);
    expect(allToAllGbPerS('dispatch', Math.sqrt(32 * 64))).toBeCloseTo((48 + 43) / 2, 9);
    const bytes = 128 * 8 * 7168;
    expect(bytes / (allToAllGbPerS('dispatch', 128) * 1e3)).toBeCloseTo(188, 0);
    expect(() => allToAllGbPerS('dispatch', 512)).toThrow(/size/);
  });
});

describe('the rows that are held out', () => {
  it('say what the law leaves out where they are off by more than 10 percent, and only there', () => {
    for (const check of heldOut()) {
      const isFar = Math.abs(shareOf(check)) > 0.1;
      expect(check.why !== undefined, check.quantity).toBe(isFar);
    }
  });

  it('have two halves of a small batch lose by overlapping, by what each launches and reads', () => {
    const model = readModel('deepseek-v3');
    const step = (overlap: 'none' | 'two-batch', blockOverheadMs: number, perDevice: number) =>
      decodeStepMs(
        {
          model: { ...model, overlap },
          ...{ accelerator: 'H100', devices: 72, prefillDevices: 0, stepOverheadMs: 0, blockOverheadMs },
        },
        perDevice * 72,
        2000,
      );
    const doubled = step('two-batch', 0.2, 32) - step('two-batch', 0, 32);
    expect(doubled).toBeCloseTo(2 * 0.2 * model.layers, 6);
    expect(step('two-batch', 0.13, 32)).toBeGreaterThan(step('none', 0.13, 32));
    // Where the exchange takes longer than the arithmetic it hides what the halves launch, but for one.
    const hidden = step('two-batch', 0.05, 256) - step('two-batch', 0, 256);
    expect(hidden).toBeLessThan(1.2 * 0.05 * model.layers);
    expect(step('two-batch', 0.13, 256)).toBeLessThan(step('none', 0.13, 256));
  });
});
