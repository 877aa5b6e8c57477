import { expect, it } from 'vitest';
import { prepareLstm } from '../../kernels/lstm/reference.ts';
import { maxDifference } from '../support/arrays.ts';

// Numbers from torch.nn.LSTM(2, 2) in double precision with these weights.
const weights = {
  inputs: 2,
  hidden: 2,
  inputWeight: Float32Array.of(
    0.09,
    0.51,
    0.6,
    1.29,
    1.75,
    -0.41,
    -0.99,
    -0.3,
    -1.93,
    -0.27,
    -0.14,
    2.57,
    -0.52,
    0.99,
    0.29,
    1.01,
  ),
  recurrentWeight: Float32Array.of(
    -0.42,
    -0.22,
    -0.48,
    -0.04,
    -0.88,
    0.44,
    -0.09,
    -0.2,
    0.49,
    0.71,
    -0.79,
    1.08,
    0.52,
    -0.69,
    -1.8,
    0.86,
  ),
  inputBias: Float32Array.of(0.31, -1.14, 0.38, -0.28, -2.57, -1.43, 0.5, 0.54),
  recurrentBias: Float32Array.of(-0.41, 1.13, -1.11, 0.35, -0.77, -0.15, 0.63, 1.09),
};
const x = Float32Array.of(0.5, -1, 2, 0.25, -0.75, 1.5);
const expected = [-0.16315857, -0.17916147, -0.42994778, -0.58952658, -0.62446487, 0.32495548];
const zeroState = () => ({ h: new Float32Array(2), c: new Float32Array(2) });

it('equals PyTorch: gate order i, f, g, o and two biases', () => {
  const state = zeroState();
  const out = prepareLstm(weights).apply(x, 3, state);
  expect(maxDifference(out, expected)).toBeLessThan(1e-6);
  expect(state.h).toEqual(out.slice(4));
  expect(maxDifference(state.c, [-0.77568247, 0.35214401])).toBeLessThan(1e-6);
});

it('goes on from its state: row by row gives the same bits', () => {
  const lstm = prepareLstm(weights);
  const whole = lstm.apply(x, 3, zeroState());
  const state = zeroState();
  const rows = [0, 1, 2].flatMap(t => [...lstm.apply(x.slice(2 * t, 2 * t + 2), 1, state)]);
  expect(rows).toEqual([...whole]);
});
