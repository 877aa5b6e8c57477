/** The header fields of a message, in their order; names in small letters and in full, whatever came. */

/** RFC 3261 §7.3.3 and the extensions that have one. */
const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
};

/** Written other than each word with a capital. */
const SPELLED: Readonly<Record<string, string>> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  'min-se': 'Min-SE',
  rseq: 'RSeq',
  rack: 'RAck',
  'www-authenticate': 'WWW-Authenticate',
};

function fullName(name: string): string {
  const small = name.toLowerCase();
  return COMPACT[small] ?? small;
}

export function spelled(name: string): string {
  return SPELLED[name] ?? name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase());
}

export class Headers {
  readonly #fields: (readonly [name: string, value: string])[];

  constructor(fields: readonly (readonly [string, string])[] = []) {
    this.#fields = fields.map(([name, value]) => [fullName(name), value] as const);
  }

  get(name: string): string | undefined {
    return this.#fields.find(([known]) => known === name)?.[1];
  }

  /** Of every field of this name, those that a comma parts too. */
  list(name: string): string[] {
    return this.#fields.flatMap(([known, value]) => (known === name ? splitList(value) : []));
  }

  /** Whole values, of fields in which commas part other things. */
  fields(name: string): string[] {
    return this.#fields.flatMap(([known, value]) => (known === name ? [value] : []));
  }

  /** Words of a list, in small letters: `Supported`, `Require`, `Allow`. */
  words(name: string): string[] {
    return this.list(name).map(word => word.toLowerCase());
  }

  add(name: string, value: string): this {
    this.#fields.push([fullName(name), value]);
    return this;
  }

  set(name: string, value: string): this {
    const full = fullName(name);
    const at = this.#fields.findIndex(([known]) => known === full);
    if (at < 0) return this.add(full, value);
    this.#fields[at] = [full, value];
    return this;
  }

  entries(): readonly (readonly [string, string])[] {
    return this.#fields;
  }

  copy(): Headers {
    return new Headers(this.#fields);
  }
}

/** At commas that stand neither in quotes nor in angle brackets. */
export function splitList(text: string, separator = ','): string[] {
  const parts: string[] = [];
  let begin = 0;
  let isQuoted = false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isQuoted) {
      if (char === '\\') at += 1;
      else if (char === '"') isQuoted = false;
    } else if (char === '"') isQuoted = true;
    else if (char === '<') depth += 1;
    else if (char === '>') depth = Math.max(0, depth - 1);
    else if (char === separator && depth === 0) {
      parts.push(text.slice(begin, at).trim());
      begin = at + 1;
    }
  }
  parts.push(text.slice(begin).trim());
  return parts.filter(part => part !== '');
}
