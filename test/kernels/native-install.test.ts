import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADDON_PATHS, loadAddon } from '../../kernels/native/addon.ts';
import { copySources } from '../../kernels/native/source-copy.js';

const native = join(import.meta.dirname, '../../kernels/native');
const built = ADDON_PATHS.find(path => existsSync(path));

/** `nvcc` is looked for where it is by default, too, so a machine may have one all the same; no kernels are here. */
const ABOUT_CUDA =
  /^longcat-rt: (no nvcc here, so no CUDA engine|no CUDA engine \(.*\); npm run build:cuda says more)\.$/;

describe('installing without a compiler', () => {
  let directory: string;
  let prebuilt: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'longcat-install-'));
    prebuilt = join(directory, `prebuilds/${process.platform}-${process.arch}/longcat_kernels.node`);
    mkdirSync(join(directory, 'cuda'));
    for (const file of ['install.js', 'prebuilt.js', 'cuda/nvcc.js'])
      copyFileSync(join(native, file), join(directory, file));
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    mkdirSync(dirname(prebuilt), { recursive: true });
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const install = () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(directory, 'install.js')], {
      env: { PATH: directory },
      encoding: 'utf8',
    });
    return { status, stdout: stdout.trim(), stderr: stderr.trim() };
  };

  it('succeeds with one warning that says what is missing', () => {
    const { status, stdout, stderr } = install();
    expect(status).toBe(0);
    expect(stdout).toMatch(ABOUT_CUDA);
    expect(stderr.split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/make, g\+\+, python3 not found.*reference engine will serve/);
  });

  it('does not trust a binary that does not load', () => {
    writeFileSync(prebuilt, 'not for this machine');
    expect(install().stderr).toMatch(/not found/);
    expect(loadAddon([prebuilt])).toMatch(/longcat_kernels/);
  });

  it.skipIf(!built)('needs none where a prebuilt binary works', () => {
    copyFileSync(built as string, prebuilt);
    const { status, stdout, stderr } = install();
    const [first, ...others] = stdout.split('\n');
    expect({ status, first, stderr }).toEqual({
      ...{ status: 0, first: 'longcat-rt: prebuilt native kernels.', stderr: '' },
    });
    expect(others).toEqual([expect.stringMatching(ABOUT_CUDA)]);
  });
});

it('a copy of the sources, to compile them otherwise, has every file that binding.gyp names', () => {
  const copy = mkdtempSync(join(tmpdir(), 'longcat-sources-'));
  try {
    copySources(copy);
    const gyp = readFileSync(join(native, 'binding.gyp'), 'utf8');
    const named = [...gyp.matchAll(/"([\w./-]+\.cpp)"/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(name => !existsSync(join(copy, 'kernels/native', name)))).toEqual([]);
  } finally {
    rmSync(copy, { recursive: true });
  }
});
