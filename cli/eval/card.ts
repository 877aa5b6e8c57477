import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Row } from './score.ts';

const [BEGIN, END] = ['<!-- eval:begin -->', '<!-- eval:end -->'];
const HEAD = ['what', 'n', 'result', '95 % interval', 'wanted', 'weights'];
/** Of the weights' hash, so that a row says what it was measured on. */
const DIGITS = 8;
const RULE = `|${'---|'.repeat(HEAD.length)}`;

/** The rows as a table of Markdown. @param weights hash of what they were measured on */
export function table(rows: readonly Row[], weights: string): string {
  const lines = rows.map(row =>
    line([
      row.what,
      String(row.n),
      shown(row),
      interval(row),
      wanted(row),
      `\`${weights.slice(0, DIGITS)}\``,
    ]),
  );
  return [line(HEAD), RULE, ...lines].join('\n');
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** The rows for a terminal. */
export function plain(rows: readonly Row[]): string {
  const width = Math.max(4, ...rows.map(row => row.what.length));
  const spaced = (cells: string[]) =>
    [cells[0].padEnd(width), ...cells.slice(1).map(cell => cell.padStart(14))].join(' ');
  const head = spaced(HEAD.slice(0, -1));
  return [
    head,
    ...rows.map(row => spaced([row.what, String(row.n), shown(row), interval(row), wanted(row)])),
  ].join('\n');
}

/** Whether a row reaches what is wanted; null where nothing is. */
export function holds({ value, unit, wanted }: Row): boolean | null {
  if (wanted === null) return null;
  if (typeof wanted !== 'number') return value >= wanted[0] && value <= wanted[1];
  return unit === '' ? value >= wanted : value <= wanted;
}

/**
 * Puts the table between the card's markers. What was not measured now keeps its line, with the weights that it was
 * measured on; the rows stand in the order of `order`, those that it does not know at the end.
 * @throws RuntimeError `eval.card` when the card or its markers are missing
 */
export function writeCard(
  path: string,
  rows: readonly Row[],
  weights: string,
  order: readonly string[] = [],
): void {
  const card = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const [begin, end] = [card.indexOf(BEGIN), card.indexOf(END)];
  if (begin < 0 || end < begin) {
    const remedy = `Put ${BEGIN} and ${END} where the table belongs.`;
    throw new RuntimeError('eval.card', 'The model card has no place for the table.', { path }, remedy);
  }
  const body = merged(card.slice(begin, end), table(rows, weights), order);
  const text = `${BEGIN}\n${NOTE}\n\n${body}\n`;
  writeFileSync(path, card.slice(0, begin) + text + card.slice(end));
}

/** Above every table. */
const NOTE =
  'Written by `longcat-rt eval --write`, each row by the last run of its suite: its n is what `--limit` was, *weights* the beginning of the hash of the model that was measured.';

function merged(before: string, now: string, order: readonly string[]): string {
  const lines = new Map<string, string[]>();
  for (const cells of [...split(before), ...split(now)]) lines.set(cells[0], cells);
  const place = ([what]: readonly string[]) => (order.includes(what) ? order.indexOf(what) : order.length);
  const sorted = [...lines.values()].sort((a, b) => place(a) - place(b));
  return [line(HEAD), RULE, ...sorted.map(cells => line(cells))].join('\n');
}

/** The cells of the rows, as many as the head has; rows of an older card do not say their weights. */
function split(text: string): string[][] {
  const rows = text.split('\n').filter(row => row.startsWith('|') && !row.startsWith('|---'));
  return rows.slice(1).map(row => {
    const cells = row
      .slice(1, -1)
      .split('|')
      .map(cell => cell.trim());
    return HEAD.map((_, at) => cells[at] ?? '');
  });
}

function shown({ value, unit }: Row): string {
  if (Number.isNaN(value)) return '–';
  return unit === '' ? String(Number(value.toFixed(3))) : `${value.toFixed(unit === 'dB' ? 2 : 0)} ${unit}`;
}

function interval({ interval: range }: Row): string {
  return range ? `${range[0].toFixed(3)}–${range[1].toFixed(3)}` : '';
}

function wanted(row: Row): string {
  if (row.wanted === null) return '';
  const mark = holds(row) ? '✓' : '✗';
  if (typeof row.wanted !== 'number') return `${row.wanted.join('–')} ${mark}`;
  return `${row.unit === '' ? '≥' : '≤'} ${row.wanted} ${mark}`;
}
