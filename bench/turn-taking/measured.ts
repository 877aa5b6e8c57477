/** docs/turn-taking.json: the figures of every part, and what they are of. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { PartFigures, PartName } from './parts.ts';

const FILE = 'docs/turn-taking.json';

export interface MeasuredPart<Name extends PartName> {
  /** The beginning of the hash of the model that was measured. */
  readonly weights: string;
  readonly seed: number;
  readonly figures: PartFigures[Name];
}

export type Measured = { [Name in PartName]?: MeasuredPart<Name> };

export function loadMeasured(): Measured {
  return existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {};
}

/** In place, and in the file at once: a later part may take long. Times in whole milliseconds. */
export function saveMeasured<Name extends PartName>(
  measured: Measured,
  name: Name,
  part: MeasuredPart<Name>,
): void {
  Object.assign(measured, { [name]: part });
  const isTime = (key: string) => key.endsWith('Ms') && name !== 'first-audio';
  const text = JSON.stringify(measured, (key, value) =>
    typeof value === 'number' && isTime(key) ? Math.round(value) : value,
  );
  writeFileSync(FILE, `${text.replaceAll('{"kind"', '\n{"kind"').replaceAll('{"policy"', '\n{"policy"')}\n`);
}
