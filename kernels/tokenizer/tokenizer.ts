import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { Tokenizer } from '../engine/engine.ts';
import { RuntimeError } from '../errors.ts';
import { replacements } from './special-tokens.ts';
import { readTokenizerFile } from './tokenizer-file.ts';

/**
 * The directory's `tokenizer.json`. Special strings are recognised in the text; nothing is added before or after it
 * (docs/spec/model.md §5.1). Strings without an entry of their own are replaced by their reserved entries
 * (docs/spec/model.md §1.10).
 *
 * @throws RuntimeError `tokenizer.open` | `tokenizer.invalid`
 */
export function loadTokenizer(directory: string): Tokenizer {
  const file = readTokenizerFile(join(directory, 'tokenizer.json'));
  const pairs = replacements(file);
  const inner = construct(file.path, file.json);
  return {
    encode(text) {
      const reserved = pairs.reduce((result, [from, to]) => result.replaceAll(from, to), text);
      return inner.encode(reserved, { add_special_tokens: false }).ids;
    },
    decode(ids) {
      if (ids.length === 0) return ''; // The library refuses an empty list.
      const text = inner.decode([...ids], {
        skip_special_tokens: false,
        clean_up_tokenization_spaces: false,
      });
      return pairs.reduce((result, [to, from]) => result.replaceAll(from, to), text);
    },
  };
}

function construct(path: string, json: Record<string, unknown>): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(json, {});
  } catch (error) {
    throw new RuntimeError('tokenizer.invalid', 'The tokenizer cannot be built from its file.', {
      file: path,
      cause: (error as Error).message,
    });
  }
}
