import { readFileSync, statSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';

const MAX_FILE_BYTES = 200_000_000;

export interface TokenizerFile {
  readonly path: string;
  readonly json: Record<string, unknown>;
  /** Vocabulary and added tokens by their text. */
  readonly ids: ReadonlyMap<string, number>;
}

/** @throws RuntimeError `tokenizer.open` | `tokenizer.invalid` */
export function readTokenizerFile(path: string): TokenizerFile {
  let json: unknown;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error('it is not a regular file'); // A pipe could be waited for without end.
    const { size } = stats;
    if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes, at most ${MAX_FILE_BYTES} are read`);
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const values = { file: path, cause: (error as Error).message };
    throw new RuntimeError('tokenizer.open', 'The tokenizer file cannot be read.', values);
  }
  const vocabulary = isRecord(json) && isRecord(json.model) ? json.model.vocab : undefined;
  if (!isRecord(json) || !isRecord(vocabulary)) {
    const remedy = 'Only tokenizer.json files with a vocabulary of text → id are supported.';
    throw new RuntimeError(
      'tokenizer.invalid',
      'The tokenizer file has no vocabulary.',
      { file: path },
      remedy,
    );
  }
  const added = Array.isArray(json.added_tokens) ? json.added_tokens.filter(isRecord) : [];
  const entries = [...Object.entries(vocabulary), ...added.map(token => [token.content, token.id] as const)];
  const ids = new Map<string, number>();
  for (const [text, id] of entries) {
    if (typeof text !== 'string' || !Number.isSafeInteger(id)) {
      const values = { file: path, entry: String(text).slice(0, 100), id: String(id).slice(0, 100) };
      throw new RuntimeError(
        'tokenizer.invalid',
        'An entry of the vocabulary is not a text with an id.',
        values,
      );
    }
    ids.set(text, id as number);
  }
  return { path, json, ids };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
