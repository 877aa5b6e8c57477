/**
 * Real recordings out of Debian's packages (recordings.py, recordings.json): what is no speech, and people who are not
 * synthesised.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const PLACE = '.cache/turn-taking/recordings';

export type RecordedKind = 'music' | 'animal' | 'alarm' | 'laugh' | 'tool' | 'typing' | 'person';
/**
 * `tune`: what the network learnt of and thresholds are set on; `report`, `voices`: thresholds were chosen with them in
 * sight; `fresh`, `unseen`: nothing was set on them, their counts were seen.
 */
export type RecordedSet = 'tune' | 'report' | 'voices' | 'fresh' | 'unseen';

export interface Recording {
  readonly set: RecordedSet;
  readonly package: string;
  readonly kind: RecordedKind;
  readonly name: string;
  /** 16 kHz, at most four seconds, at the level of a turn. */
  readonly samples: Float32Array<ArrayBuffer>;
}

/** Empty, and said so, where ffmpeg or the packages are not there. */
export function loadRecordings(set: RecordedSet): Recording[] {
  if (!existsSync(`${PLACE}/sounds.json`)) {
    const python = process.env.PYTHON ?? 'python3';
    const args = ['bench/turn-taking/recordings.py', PLACE, '--fetch'];
    const { status } = spawnSync(python, args, { stdio: 'inherit' });
    if (status !== 0) {
      console.error(
        'The real recordings could not be found: they are left out. Needs Debian, ffmpeg and numpy.',
      );
      return [];
    }
  }
  const sound = readFileSync(`${PLACE}/sounds.s16`);
  const all = new Int16Array(sound.buffer, sound.byteOffset, sound.length / 2);
  const index: (Omit<Recording, 'samples'> & { span: [number, number] })[] = JSON.parse(
    readFileSync(`${PLACE}/sounds.json`, 'utf8'),
  );
  return index
    .filter(entry => entry.set === set)
    .map(({ span: [at, count], ...entry }) => ({
      ...entry,
      samples: Float32Array.from(all.subarray(at, at + count), value => value / 32_768),
    }));
}
