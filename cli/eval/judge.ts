import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RuntimeError } from '../../kernels/errors.ts';
import { resampled } from '../media/resampled.ts';
import { writeWav } from '../media/wav.ts';
import type { MonoSound } from '../media/wav-format.ts';
import { findProgram } from '../programs.ts';
import { words } from './score.ts';

/** Where Debian's pocketsphinx-en-us puts the acoustic model. */
const ACOUSTIC_MODEL = process.env.POCKETSPHINX_MODEL ?? '/usr/share/pocketsphinx/model/en-us';
const RATE = 16_000;
const SILENCE_SAMPLES = 4800;
/**
 * Peak of the room's noise, −60 dB as a root mean square. In a quieter room the recogniser errs more on the originals.
 */
const ROOM_NOISE = 1.7e-3;
const DISCOUNT = 0.5;
const TIMEOUT_MS = 1_800_000;

/**
 * What a stranger hears: pocketsphinx with a bigram model of `sentences`, one text per recording. The bigrams know the
 * domain, so the figures are generous.
 * @throws RuntimeError `eval.judge` where pocketsphinx is missing
 */
export function recognise(recordings: readonly MonoSound[], sentences: readonly string[]): string[] {
  if (recordings.length === 0) return [];
  const at = mkdtempSync(join(tmpdir(), 'longcat-rt-judge-'));
  try {
    writeFileSync(join(at, 'lm.arpa'), bigrams(sentences));
    writeFileSync(join(at, 'words.dict'), dictionary(sentences));
    for (const [i, recording] of recordings.entries()) {
      const samples = padded(resampled(recording, RATE));
      writeWav(join(at, `${i}.wav`), { sampleRate: RATE, samples });
    }
    writeFileSync(join(at, 'list'), recordings.map((_, i) => `${i}\n`).join(''));
    run(at);
    const lines = readFileSync(join(at, 'hyp'), 'utf8').trimEnd().split('\n');
    return lines.map(line => line.replace(/\([^(]*\)\s*$/, '').trim());
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}

/** Whether this machine can judge speech. */
export function hasJudge(): boolean {
  return existsSync(join(ACOUSTIC_MODEL, 'en-us')) && findProgram('pocketsphinx_batch') !== null;
}

function run(at: string): void {
  const options = {
    '-hmm': join(ACOUSTIC_MODEL, 'en-us'),
    '-lm': join(at, 'lm.arpa'),
    '-dict': join(at, 'words.dict'),
    '-ctl': join(at, 'list'),
    '-cepdir': at,
    '-cepext': '.wav',
    '-adcin': 'yes',
    '-adchdr': '44',
    '-hyp': join(at, 'hyp'),
    '-logfn': '/dev/null',
  };
  try {
    execFileSync('pocketsphinx_batch', Object.entries(options).flat(), {
      stdio: 'ignore',
      timeout: TIMEOUT_MS,
    });
  } catch (error) {
    throw new RuntimeError('eval.judge', 'The judge of speech failed.', { cause: (error as Error).message });
  }
}

/** The recogniser wants a little silence around an utterance, and the noise of a room rather than zeros. */
function padded(samples: Float32Array): Float32Array {
  const out = new Float32Array(samples.length + 2 * SILENCE_SAMPLES);
  let state = 1;
  for (let i = 0; i < out.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[i] = (state / 2 ** 31 - 1) * ROOM_NOISE;
  }
  for (const [i, value] of samples.entries()) out[SILENCE_SAMPLES + i] += value;
  return out;
}

/** ARPA text of a bigram model with absolute discounting. */
export function bigrams(sentences: readonly string[]): string {
  const [ones, twos] = [new Map<string, number>(), new Map<string, number>()];
  const [follow, before] = [new Map<string, number>(), new Map<string, number>()];
  const count = (map: Map<string, number>, key: string, n = 1) => map.set(key, (map.get(key) ?? 0) + n);
  for (const sentence of sentences) {
    const row = ['<s>', ...words(sentence), '</s>'];
    for (const [i, word] of row.entries()) {
      count(ones, word);
      if (i + 1 < row.length) count(twos, `${word} ${row[i + 1]}`);
    }
  }
  for (const [pair, n] of twos) {
    const [first] = pair.split(' ');
    count(follow, first);
    count(before, first, n);
  }
  const total = [...ones.values()].reduce((sum, n) => sum + n, 0);
  const log = (p: number) => Math.log10(Math.max(p, 1e-9)).toFixed(4);
  const backoff = (word: string) =>
    log(before.has(word) ? (DISCOUNT * follow.get(word)!) / before.get(word)! : 1);
  return [
    '\\data\\',
    `ngram 1=${ones.size}`,
    `ngram 2=${twos.size}`,
    '',
    '\\1-grams:',
    ...[...ones].sort().map(([word, n]) => `${log(n / total)} ${word} ${backoff(word)}`),
    '',
    '\\2-grams:',
    ...[...twos]
      .sort()
      .map(([pair, n]) => `${log((n - DISCOUNT) / before.get(pair.split(' ')[0])!)} ${pair}`),
    '',
    '\\end\\',
    '',
  ].join('\n');
}

function dictionary(sentences: readonly string[]): string {
  const known = new Set(sentences.flatMap(words));
  const lines = readFileSync(join(ACOUSTIC_MODEL, 'cmudict-en-us.dict'), 'utf8').split('\n');
  return `${lines.filter(line => known.has(line.split(' ')[0].replace(/\(\d+\)/, ''))).join('\n')}\n`;
}
