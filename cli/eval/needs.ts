import { spawnSync } from 'node:child_process';
import { RuntimeError } from '../../kernels/errors.ts';
import { installHint } from '../programs.ts';
import { hasJudge } from './judge.ts';
import { hasMaterial, makerEnvironment, SYSTEM_PROGRAMS } from './material.ts';

interface Need {
  readonly what: string;
  readonly packages: string;
}

/** What train/data/held_out.py imports and loads, with the Debian packages that bring it. */
const MODULES: Readonly<Record<string, string>> = {
  numpy: 'python3-numpy',
  scipy: 'python3-scipy',
  torch: 'python3-torch',
  PIL: 'python3-pil',
};
const LIBRARIES: Readonly<Record<string, string>> = {
  'libespeak-ng.so.1': 'espeak-ng',
  'libflite.so.1': 'flite',
};
const PYTHON_TIMEOUT_MS = 60_000;
const LOOK = `
import ctypes, importlib.util, sys
for name in sys.argv[1].split(','):
    if importlib.util.find_spec(name) is None: print(name)
for name in sys.argv[2].split(','):
    try: ctypes.CDLL(name)
    except OSError: print(name)
`;

/** What an evaluation needs and this machine lacks; empty: it can start. */
export function missingForEval(
  materialDirectory: string,
  withSpeech: boolean,
  systemPrograms = SYSTEM_PROGRAMS,
): Need[] {
  const missing: Need[] = [];
  if (!hasMaterial(materialDirectory)) missing.push(...missingForMaterial(systemPrograms));
  if (withSpeech && !hasJudge())
    missing.push({
      what: 'pocketsphinx with its English model',
      packages: 'pocketsphinx pocketsphinx-en-us',
    });
  return missing;
}

/** Says everything at once, and before the minutes that an evaluation takes. @throws RuntimeError `eval.needs` */
export function checkNeeds(
  materialDirectory: string,
  withSpeech: boolean,
  systemPrograms = SYSTEM_PROGRAMS,
): void {
  const missing = missingForEval(materialDirectory, withSpeech, systemPrograms);
  if (missing.length === 0) return;
  const packages = missing.map(need => need.packages).join(' ');
  const material = hasMaterial(materialDirectory) ? '' : ' Or give made material with --material.';
  const speech = withSpeech && !hasJudge() ? ' Or leave the judging of speech out with --no-speech.' : '';
  throw new RuntimeError(
    'eval.needs',
    'The evaluation needs what this machine does not have.',
    { missing: missing.map(need => need.what).join(', ') },
    `With Debian or Ubuntu: ${installHint(packages)}.${material}${speech}`,
  );
}

function missingForMaterial(systemPrograms: string): Need[] {
  const names = [MODULES, LIBRARIES].map(list => Object.keys(list).join(','));
  const python = spawnSync('python3', ['-c', LOOK, ...names], {
    encoding: 'utf8',
    timeout: PYTHON_TIMEOUT_MS,
    env: makerEnvironment(systemPrograms),
  });
  const all = { ...MODULES, ...LIBRARIES };
  if (python.status !== 0)
    return [{ what: 'python3', packages: ['python3', ...Object.values(all)].join(' ') }];
  const lines = python.stdout.split('\n').filter(Boolean);
  return lines.map(what => ({
    what: what in MODULES ? `Python's ${what}` : what,
    packages: all[what] ?? what,
  }));
}
