import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Row } from './score.ts';

const [BEGIN, END] = ['<!-- eval:begin -->', '<!-- eval:end -->'];

/** The rows as a table of Markdown. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(
    row => `| ${row.what} | ${row.n} | ${shown(row)} | ${interval(row)} | ${wanted(row)} |`,
  );
  return ['| what | n | result | 95 % interval | wanted |', '|---|---|---|---|---|', ...lines].join('\n');
}

/** The rows for a terminal. */
export function plain(rows: readonly Row[]): string {
  const width = Math.max(4, ...rows.map(row => row.what.length));
  const line = (cells: string[]) =>
    [cells[0].padEnd(width), ...cells.slice(1).map(cell => cell.padStart(14))].join(' ');
  const head = line(['what', 'n', 'result', '95 % interval', 'wanted']);
  return [
    head,
    ...rows.map(row => line([row.what, String(row.n), shown(row), interval(row), wanted(row)])),
  ].join('\n');
}

/** Whether a row reaches what is wanted; null where nothing is. */
export function holds({ value, unit, wanted }: Row): boolean | null {
  if (wanted === null) return null;
  if (typeof wanted !== 'number') return value >= wanted[0] && value <= wanted[1];
  return unit === '' ? value >= wanted : value <= wanted;
}

/**
 * Puts the table between the card's markers; rows that were not measured now keep their old lines.
 * @throws RuntimeError `eval.card` when the card or its markers are missing
 */
export function writeCard(path: string, rows: readonly Row[], command: string): void {
  const card = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const [begin, end] = [card.indexOf(BEGIN), card.indexOf(END)];
  if (begin < 0 || end < begin) {
    const remedy = `Put ${BEGIN} and ${END} where the table belongs.`;
    throw new RuntimeError('eval.card', 'The model card has no place for the table.', { path }, remedy);
  }
  const text = `${BEGIN}\n\`${command}\`\n\n${merged(card.slice(begin, end), table(rows))}\n`;
  writeFileSync(path, card.slice(0, begin) + text + card.slice(end));
}

function merged(before: string, now: string): string {
  const [head, ...fresh] = split(now);
  const lines = new Map<string, string>();
  for (const line of [...split(before).slice(1), ...fresh]) lines.set(line.split('|')[1].trim(), line);
  return [head, '|---|---|---|---|---|', ...lines.values()].join('\n');
}

/** Head and rows, without the rule between them. */
function split(text: string): string[] {
  return text.split('\n').filter(line => line.startsWith('|') && !line.startsWith('|---'));
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
