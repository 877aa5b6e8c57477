import { expect, test } from 'vitest';
import {
  createRandom,
  exponential,
  integer,
  murmur3,
  normal,
  type Random,
  Xoshiro128,
} from '../../../actors/core/random.ts';

const take = (random: Random, count: number) => Array.from({ length: count }, () => random.next());

// Values written down once from a big-integer implementation in Python of the two published algorithms; the generator's
// first ten from the state 1, 2, 3, 4 and the hashes of "Hello, world!" and the fox are also their authors' test
// values.
test('the generator yields the published sequence', () => {
  const bits = new Xoshiro128([1, 2, 3, 4]);
  expect(Array.from({ length: 10 }, () => bits.nextUint32())).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

test('the hash yields the published values', () => {
  const hash = (text: string, seed: number) => murmur3(new TextEncoder().encode(text), seed);
  expect(hash('', 0)).toBe(0);
  expect(hash('', 1)).toBe(0x514e28b7);
  expect(hash('Hello, world!', 1234)).toBe(0xfaf6cdb3);
  expect(hash('test', 0x9747b28c)).toBe(0x704b81dc);
  expect(hash('The quick brown fox jumps over the lazy dog', 0x9747b28c)).toBe(0x2fa826cd);
  expect(murmur3(Uint8Array.of(0x61, 0x62, 0xff), 7)).toBe(0xd915f90);
});

test('a seed and a path of purposes always mean the same numbers', () => {
  const root = createRandom(42);
  expect(take(root, 3)).toEqual([0.9553344251281652, 0.7489153752319417, 0.26570109318259805]);
  const people = root.split('people');
  expect(take(people, 3)).toEqual([0.7295699361097019, 0.8592252650612949, 0.7195751825979048]);
  expect(take(people.split('größe'), 3)).toEqual([0.4004966675537903, 0.6570498692825382, 0.229956228650385]);
  expect(createRandom('42').next()).toBe(createRandom(42).next());
});

test('streams of different purposes do not repeat each other', () => {
  const root = createRandom('seed');
  const firsts = new Set<number>();
  for (let at = 0; at < 2000; at++) firsts.add(root.split(`session ${at}`).next());
  expect(firsts.size).toBe(2000);
  expect(root.split('ab').split('c').next()).not.toBe(root.split('a').split('bc').next());
});

test('normal and exponential numbers follow their formulas', () => {
  const people = createRandom(42).split('people');
  expect(normal(people, 10, 2)).toBeCloseTo(12.049586350834252, 12);
  expect(exponential(createRandom(42).split('people'), 5)).toBeCloseTo(6.538708789837261, 12);
});

test('means, deviations and frequencies are those of the distributions', () => {
  const random = createRandom('moments');
  const count = 40_000;
  const sample = (draw: () => number) => Array.from({ length: count }, draw);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = (values: number[]) => Math.sqrt(mean(values.map(value => (value - mean5) ** 2)));
  const normals = sample(() => normal(random, 5, 3));
  const mean5 = mean(normals);
  // Four standard errors.
  expect(Math.abs(mean5 - 5)).toBeLessThan((4 * 3) / Math.sqrt(count));
  expect(Math.abs(deviation(normals) - 3)).toBeLessThan((4 * 3) / Math.sqrt(2 * count));
  expect(Math.abs(mean(sample(() => exponential(random, 7))) - 7)).toBeLessThan((4 * 7) / Math.sqrt(count));
  const counts = [0, 0, 0, 0, 0];
  for (let at = 0; at < count; at++) counts[integer(random, 5)]++;
  const chiSquare = counts.reduce((sum, seen) => sum + (seen - count / 5) ** 2 / (count / 5), 0);
  // 99.9 % quantile of χ² with 4 degrees of freedom.
  expect(chiSquare).toBeLessThan(18.47);
});

test('there is no integer below 0.5', () => {
  expect(() => integer(createRandom(1), 0.5)).toThrowError(
    expect.objectContaining({ code: 'random.bad-bound' }),
  );
});
