/**
 * An object as models write it by hand: keys without quotes, single quotes, a comma too many, the end cut off
 * (docs/spec/tools.md §1, shapes 2 and 4).
 */

const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const CLOSING = /<\/[\w]*>?\s*$/;

/** Null where there is no object, or it cannot be read. */
export function lenientObject(text: string): Record<string, unknown> | null {
  const at = text.indexOf('{');
  if (at < 0) return null;
  let rest = text.slice(at).trim();
  while (CLOSING.test(rest)) rest = rest.replace(CLOSING, '').trim();
  const strings: string[] = [];
  // Strings stand aside, so that nothing in them is taken for syntax.
  const bare = rest.replaceAll(STRING, string => `\uE000${strings.push(asJson(string)) - 1}\uE001`);
  const quoted = bare
    .replaceAll(/([{,]\s*)([A-Za-z_$][\w$-]*)(?=\s*:)/g, '$1"$2"')
    .replaceAll(/,(\s*[}\]])/g, '$1')
    .replaceAll(/\b(None|undefined)\b/g, 'null')
    .replaceAll(/\bTrue\b/g, 'true')
    .replaceAll(/\bFalse\b/g, 'false');
  const filled = quoted.replaceAll(/\uE000(\d+)\uE001/g, (_, i) => strings[Number(i)]);
  return parsed(filled) ?? parsed(filled + closers(quoted));
}

function asJson(string: string): string {
  if (string.startsWith('"')) return string;
  const inner = string
    .slice(1, -1)
    .replaceAll("\\'", "'")
    .replaceAll(/(?<!\\)"/g, '\\"');
  return `"${inner}"`;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(upToEnd(text));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Without what follows the object. */
function upToEnd(text: string): string {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    if (depth === 0) return text.slice(0, index + 1);
  }
  return text;
}

/** The brackets that are still open, innermost first. */
function closers(bare: string): string {
  const open: string[] = [];
  for (const character of bare) {
    if (character === '{') open.push('}');
    else if (character === '[') open.push(']');
    else if (character === '}' || character === ']') open.pop();
  }
  return open.reverse().join('');
}
