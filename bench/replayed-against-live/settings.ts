/** One other value, or a few, of every setting that a replay can change, in parts that run by themselves. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';

export const PARTS: Readonly<Record<string, readonly string[]>> = {
  presets: ['turnPreset=fast', 'turnPreset=balanced', 'turnPreset=patient', 'turnPreset=telephone'],
  silence: ['endpointSilenceMs=400', 'endpointSilenceMs=900', 'speculateSilenceMs=650'],
  hearing: ['vadThreshold=0.7', 'prefixPaddingMs=100', 'maxTokensPerPicture=32'],
  replies: ['truncateAt=sample', 'maxReplySteps=24', 'babbleGuard=off', 'seed=7'],
  limits: ['maxBatch=1', 'prefillTokenBudget=16', 'maxSessions=2'],
  engines: ['engine=reference', 'place=ganDecoder=reference', 'model=another'],
};

/** What stands for a file that is made for it. */
const ANOTHER_MODEL = 'model=another';
const WEIGHTS = 'model.safetensors';

/** Name and value as a command takes them. */
export function assigned(setting: string, folder: string): { readonly name: string; readonly value: string } {
  const at = setting.indexOf('=');
  const value = setting === ANOTHER_MODEL ? anotherModel(folder) : setting.slice(at + 1);
  return { name: setting.slice(0, at), value };
}

/** Nano with the last of its weights changed: the same answers or others, but no model that the recording knows. */
function anotherModel(folder: string): string {
  const copy = `${folder}/another-model`;
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(`${PACKAGE_ROOT}models/nano`, unfinished, { recursive: true });
  const weights = readFileSync(`${unfinished}/${WEIGHTS}`);
  weights[weights.length - 2] ^= 1;
  writeFileSync(`${unfinished}/${WEIGHTS}`, weights);
  cpSync(unfinished, copy, { recursive: true });
  rmSync(unfinished, { recursive: true });
  return copy;
}
