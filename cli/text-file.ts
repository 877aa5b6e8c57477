import { readFileSync, statSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';

/** Settings and scenarios are small; a larger file is another one by mistake. */
const MAX_FILE_BYTES = 1 << 20;

/**
 * The text of a small file. A pipe or a device is refused: reading it could wait for ever.
 * @throws Error that says why in a few words
 */
export function readText(path: string): string {
  const stats = statSync(path);
  if (!stats.isFile())
    throw new Error(`${stats.isDirectory() ? 'a folder' : 'a pipe or device'}, not a file`);
  if (stats.size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
  return readFileSync(path, 'utf8');
}

/**
 * YAML, of which JSON is a part. What is wrong is said with its place and without a word of the text itself: it may
 * hold keys, and errors end up in logs.
 * @throws Error that says why in a few words
 */
export function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines, logLevel: 'silent' });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    // Some of the library's messages quote the text behind a colon or within quotation marks.
    throw new Error(`${error.message.split(/[:"'`\\]/)[0].trim()} at line ${line}, column ${col}`);
  }
  const content = contentOf(document);
  if (isCyclic(content)) throw new Error('an anchor that contains itself');
  return content;
}

/** Aliases are resolved here; the library names them when one has no anchor, or when there are too many. */
function contentOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch {
    throw new Error('an alias without its anchor, or too many aliases');
  }
}

function isCyclic(value: unknown, above: readonly unknown[] = []): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (above.includes(value)) return true;
  return Object.values(value).some(inner => isCyclic(inner, [...above, value]));
}
