import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildEmulatorTest } from '../../../kernels/native/cuda/build.js';
import { BUILD_MS, NO_EMULATION } from './emulated-device.ts';

/** What must be found of every broken kernel; see emulator-test.cu. */
const BROKEN: Readonly<Record<string, RegExp>> = {
  'missing barrier': /^(a race|reads what nobody wrote).* shared memory \(test::reverse/,
  'a barrier of the warp between warps': /^(a race|reads what nobody wrote).* shared memory/,
  'half a block at the barrier': /^threads wait at a barrier/,
  'a shuffle too few': /^a wrong result/,
  'one element too many': /^reads 4 bytes outside/,
  'past shared memory': /^writes 4 bytes outside/,
  'memory of the host': /^reads 4 bytes outside: no memory of the device/,
  'a race between blocks': /^a race: writes what thread 0 of block \d writes/,
  'reads what nobody wrote': /^reads what nobody wrote: byte \d+ of 1024 of device memory/,
  'an asynchronous copy not waited for': /^reads what nobody wrote/,
  'words of a fragment exchanged': /^a wrong result/,
  'two streams without an event': /^a wrong result/,
  'a graph without an event': /^a wrong result/,
};

describe.skipIf(NO_EMULATION !== null)('the emulation of a device', () => {
  let lines: string[][] = [];

  beforeAll(async () => {
    const program = await buildEmulatorTest(join(import.meta.dirname, 'emulator-test.cu'));
    lines = execFileSync(program, { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(line => line.split('\t'));
  }, BUILD_MS);

  it('finds nothing in sound kernels, in twenty orders', () => {
    const sound = lines.filter(([name]) => name.startsWith('sound: '));
    expect(sound.length).toBeGreaterThanOrEqual(9);
    expect(sound.filter(([, found]) => found !== '')).toEqual([]);
  });

  it('tries a broken kernel of every kind', () => {
    const broken = lines.map(([name]) => name.split(': ')).filter(([kind]) => kind === 'broken');
    expect(broken.map(([, name]) => name).toSorted()).toEqual(Object.keys(BROKEN).toSorted());
  });

  for (const [name, finding] of Object.entries(BROKEN)) {
    it(`finds what is broken: ${name}`, () => {
      const line = lines.find(([of]) => of === `broken: ${name}`);
      expect(line?.[1]).toMatch(finding);
    });
  }
});
