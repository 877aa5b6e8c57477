import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { modelPath, seededPath } from '../model-directory.ts';
import type { Finding } from './finding.ts';

const MEBI = 2 ** 20;
const PARTS: readonly (readonly [part: string, folder: string])[] = [
  ['hears', 'audio'],
  ['sees', 'vision'],
  ['speaks', 'audio_codec'],
];

/** What will be loaded, wherever the command is run from; nothing is written. */
export function modelFinding(model: string, seed: number): Finding {
  const path = modelPath(model);
  if (existsSync(join(path, 'config.json'))) return { what: 'model', found: path, meaning: contentOf(path) };
  const seeded = seededPath(model, seed);
  if (seeded === null) {
    const meaning = 'no config.json there: it is refused; give a directory in the Hugging Face layout';
    return { what: 'model', found: path, meaning };
  }
  return {
    what: 'model',
    found: path,
    meaning: `no weights there: a random model of the same shape is used (${seeded}); it speaks, but what it says means nothing`,
  };
}

function contentOf(path: string): string {
  const files = readdirSync(path, { recursive: true }).map(name => join(path, String(name)));
  const weights = files.filter(file => file.endsWith('.safetensors'));
  if (weights.length === 0) return 'it has a config.json and no weights (*.safetensors): it cannot be loaded';
  const bytes = weights.reduce((sum, file) => sum + statSync(file).size, 0);
  const [has, lacks] = [true, false].map(wanted =>
    PARTS.filter(([, folder]) => existsSync(join(path, folder)) === wanted).map(([part]) => part),
  );
  const missing = lacks.length > 0 ? `; it has no part that ${lacks.join(', ')}` : '';
  return `used, ${(bytes / MEBI).toFixed(1)} MiB of weights; it ${has.join(', ') || 'reads and writes text'}${missing}`;
}
