import { RuntimeError } from '../../kernels/errors.ts';
import { readText } from '../text-file.ts';

const COLUMNS = ['batch', 'context', 'ms'] as const;
const MAX_ROWS = 10_000;

/** Measured decode steps from a CSV whose first line names its columns. @throws RuntimeError `decode-table.invalid` */
export function readDecodeTable(path: string): Record<(typeof COLUMNS)[number], number>[] {
  const [head = '', ...lines] = readText(path)
    .split(/\r?\n/)
    .filter(line => line.trim() !== '');
  const names = head.split(',').map(name => name.trim());
  const places = COLUMNS.map(column => names.indexOf(column));
  const remedy = `The first line names the columns ${COLUMNS.join(', ')}; numbers follow, a step in each line.`;
  const refused = (line: number, value: string) =>
    new RuntimeError(
      'decode-table.invalid',
      'The table of decode steps is not one.',
      { path, line, value },
      remedy,
    );
  if (places.includes(-1)) throw refused(1, head.slice(0, 80));
  if (lines.length > MAX_ROWS) throw refused(MAX_ROWS + 2, `more than ${MAX_ROWS} rows`);
  return lines.map((line, i) => {
    const cells = line.split(',');
    const values = places.map(place => Number(cells[place]?.trim() || Number.NaN));
    if (values.some(value => !Number.isFinite(value))) throw refused(i + 2, line.slice(0, 80));
    const [batch, context, ms] = values;
    return { batch, context, ms };
  });
}
