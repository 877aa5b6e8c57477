import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { inventoryOf } from '../../kernels/inventory/index.ts';
import { pythonWith } from '../support/python.ts';

const python = (...args: string[]) => spawnSync('python3', args, { encoding: 'utf8', timeout: 120_000 });
const hasYaml = python('-c', 'import yaml').status === 0;

/** Of what needs no PyTorch: checkpoints of the release that are safetensors already. */
describe.skipIf(!hasYaml)('the converter of an official release', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'convert-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The codec as the release has it: a YAML whose `ckpt_path`s are names of another place. */
  function release(names: { decoder: string; encoder: string }): string {
    const ours = join(folder, 'ours');
    writeSeededCheckpoint(ours, { seed: 1, dimensions: tinyDimensions });
    const at = join(folder, 'release');
    mkdirSync(join(at, 'audio_codec', 'weights'), { recursive: true });
    const config = JSON.parse(readFileSync(join(ours, 'audio_codec/config.json'), 'utf8'));
    config.codec_config.ckpt_path = names.decoder;
    config.encoder.codec_config.ckpt_path = names.encoder;
    writeFileSync(join(at, 'audio_codec/config.yaml'), stringify(config));
    for (const part of ['decoder', 'encoder'])
      writeFileSync(
        join(at, `audio_codec/weights/codec_${part}_24k.safetensors`),
        readFileSync(join(ours, `audio_codec/${part}.safetensors`)),
      );
    for (const file of [
      'config.json',
      'tokenizer.json',
      'model.safetensors',
      'audio_codec/encoder_cmvn.json',
    ])
      writeFileSync(join(at, file), readFileSync(join(ours, file)));
    return at;
  }

  const NAMES = {
    decoder: 'somewhere/else/codec_decoder_24k.safetensors',
    encoder: 'weights/codec_encoder_24k.safetensors',
  };

  it("gives the codec's checkpoints the names of our layout, and may run again", () => {
    const [source, target] = [release(NAMES), join(folder, 'target')];
    for (let run = 0; run < 2; run++) {
      const { status, stderr } = python('train/convert_official.py', source, target);
      expect([status, stderr]).toEqual([0, '']);
      const found = inventoryOf(target).map(each => [each.component, each.refused, each.comparison.missing]);
      expect(found).toEqual([
        ['language model', null, []],
        ['audio decoder', null, []],
        ['speech tokenizer', null, []],
      ]);
      expect(existsSync(join(target, 'audio_codec/weights/codec_decoder_24k.safetensors'))).toBe(false);
    }
    // The release itself is never written through a link.
    expect(lstatSync(join(target, 'model.safetensors')).isSymbolicLink()).toBe(true);
  });

  it('fails where the YAML names a checkpoint that is not there', () => {
    const source = release({ ...NAMES, decoder: 'checkpoints/gone.pt' });
    const { status, stderr } = python('train/convert_official.py', source, join(folder, 'target'));
    expect(status).toBe(1);
    expect(stderr).toContain('checkpoints/gone.pt (codec_config.ckpt_path)');
  });
});

const numpyPython = pythonWith('numpy');

/** `views.pt` is PyTorch 1.13's: parts and turned views of shared storages, a float64, a parameter, an empty tensor. */
describe.skipIf(!numpyPython)('a `.pt`', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'convert-'));
    mkdirSync(join(folder, 'release'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const convert = (release: string, target: string) =>
    spawnSync(numpyPython!, ['train/convert_official.py', join(folder, release), join(folder, target)], {
      encoding: 'utf8',
      timeout: 60_000,
    });

  it('becomes safetensors with the same elements, without PyTorch', () => {
    copyFileSync('test/fixtures/torch-file/views.pt', join(folder, 'release/views.pt'));
    const { status, stderr } = convert('release', 'target');
    expect([status, stderr]).toEqual([0, '']);
    const bytes = readFileSync(join(folder, 'target/views.safetensors'));
    const begin = 8 + Number(bytes.readBigUInt64LE());
    const { __metadata__, ...header } = JSON.parse(bytes.toString('utf8', 8, begin));
    expect(__metadata__).toEqual({ format: 'pt' });
    const found = Object.entries(header as Record<string, Entry>).map(([name, entry]) => {
      const [from, to] = entry.data_offsets.map(at => begin + at);
      const data = bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to);
      return [name, entry.dtype, entry.shape, READ[entry.dtype](data)];
    });
    expect(found).toEqual([
      ['a.bf16', 'BF16', [3], [0x3fc0, 0xc000, 0x3e80]],
      ['b.turned', 'F32', [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
      ['c.part', 'F32', [2, 2], [5, 6, 9, 10]],
      ['d.double', 'F32', [2], [0.1, 1e-3].map(Math.fround)],
      ['e.long', 'I64', [3], [2, 3, 4]],
      ['f.flag', 'BOOL', [2], [1, 0]],
      ['g.none', 'F32', [0, 3], []],
      ['h.scalar', 'I32', [], [7]],
      ['half', 'F16', [1], [0x3c00]],
      ['p.parameter', 'F32', [1], [3]],
    ]);
  });

  it('that holds more than tensors is refused, and nothing of it is run', () => {
    const made = [
      'import os, pickle, sys, zipfile',
      'class Bad:',
      `    def __reduce__(self): return (os.mkdir, (sys.argv[1] + '/run',))`,
      `with zipfile.ZipFile(sys.argv[1] + '/release/bad.pt', 'w') as z: z.writestr('bad/data.pkl', pickle.dumps(Bad()))`,
    ];
    spawnSync(numpyPython!, ['-c', made.join('\n'), folder]);
    const { status, stderr } = convert('release', 'target');
    expect(status).toBe(1);
    expect(stderr).toContain('mkdir, which is no tensor');
    expect(existsSync(join(folder, 'run'))).toBe(false);
  });
});

interface Entry {
  readonly dtype: keyof typeof READ;
  readonly shape: readonly number[];
  readonly data_offsets: readonly number[];
}

const READ = {
  BF16: (data: ArrayBuffer) => [...new Uint16Array(data)],
  F16: (data: ArrayBuffer) => [...new Uint16Array(data)],
  F32: (data: ArrayBuffer) => [...new Float32Array(data)],
  I32: (data: ArrayBuffer) => [...new Int32Array(data)],
  I64: (data: ArrayBuffer) => [...new BigInt64Array(data)].map(Number),
  BOOL: (data: ArrayBuffer) => [...new Uint8Array(data)],
};
