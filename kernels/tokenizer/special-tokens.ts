import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfigFile } from '../components/config-file.ts';
import type { SpecialTokens } from '../engine/engine.ts';
import { readTokenizerFile, type TokenizerFile } from './tokenizer-file.ts';

/**
 * Strings with a role and the reserved entries of the vocabulary that stand for them (docs/spec/model.md §1.10): entry
 * `<mask_k>` has id 24 + k where the vocabulary does not say otherwise.
 */
export const RESERVED_ENTRIES: readonly (readonly [string, number])[] = [
  ['<|audio|>', 110],
  ['<|/audio|>', 111],
  ['<|audio_pad|>', 112],
  ['</pause>', 113],
  ['<begin-of-system>', 114],
  ['<begin-of-user>', 115],
  ['<begin-of-assistant>', 116],
  ['<begin-of-voice-assistant>', 117],
  ['<|image_pad|>', 118],
  ['<image>', 119],
];
const FIRST_MASK_ID = 24;
const TOOL_TAGS = ['longcat_tool_call', 'longcat_arg_key', 'longcat_arg_value'].flatMap(name => [
  `<${name}>`,
  `</${name}>`,
]);

const tokenId = z.int().min(0).nullish();
const idsSchema = z.object({
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: tokenId,
  wait_token_id: tokenId,
});

/** From `config.json` and, where there is one, `tokenizer.json`. @throws RuntimeError `config.*` | `tokenizer.*` */
export function readSpecialTokens(directory: string): SpecialTokens {
  const ids = readConfigFile(join(directory, 'config.json'), idsSchema);
  const path = join(directory, 'tokenizer.json');
  const file = existsSync(path) ? readTokenizerFile(path) : null;
  const reserved = new Map(RESERVED_ENTRIES);
  const idOf = (text: string) => {
    const mask = reserved.get(text) as number;
    return file?.ids.get(text) ?? file?.ids.get(maskEntry(mask)) ?? FIRST_MASK_ID + mask;
  };
  return {
    bos: ids.bos_token_id ?? 1,
    eos: ids.eos_token_id ?? 2,
    pad: ids.pad_token_id ?? 3,
    audioBegin: idOf('<|audio|>'),
    audioEnd: idOf('<|/audio|>'),
    audioPad: idOf('<|audio_pad|>'),
    imagePad: idOf('<|image_pad|>'),
    pause: idOf('</pause>'),
    wait: ids.wait_token_id ?? null,
    toolTags: TOOL_TAGS.flatMap(tag => file?.ids.get(tag) ?? []),
  };
}

/** Pairs [string, entry] where the vocabulary has only the reserved entry and text must be rewritten. */
export function replacements(file: TokenizerFile): [string, string][] {
  return RESERVED_ENTRIES.filter(([text, mask]) => !file.ids.has(text) && file.ids.has(maskEntry(mask))).map(
    ([text, mask]) => [text, maskEntry(mask)],
  );
}

function maskEntry(mask: number): string {
  return `<mask_${mask}>`;
}
