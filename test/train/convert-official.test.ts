import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { inventoryOf } from '../../kernels/inventory/index.ts';

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
