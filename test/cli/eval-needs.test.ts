import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkNeeds, missingForEval } from '../../cli/eval/index.ts';
import { withPrograms } from '../support/fake-programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'longcat-rt-needs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const nothing = join(folder, 'nothing');
/** Debian's Python stands first in the maker's path; a machine without it is one where the fake is found. */
const python = (lines: string) => ({ python3: `printf '${lines}'` });

describe('what an evaluation needs', () => {
  it('is said before it starts, all at once, with what to install', async () => {
    const missing = () => checkNeeds(nothing, true, folder);
    await withPrograms(python('numpy\\nlibflite.so.1\\n'), async () => {
      expect(missing).toThrow(expect.objectContaining({ code: 'eval.needs' }));
      expect(missing).toThrow(/Python's numpy, libflite\.so\.1, pocketsphinx/);
      expect(missing).toThrow(/python3-numpy flite pocketsphinx pocketsphinx-en-us/);
      expect(missing).toThrow(/--material.*--no-speech/);
    });
  });

  it('is Python first, and nothing of it where the material is made', async () => {
    await withPrograms({}, async () => {
      expect(missingForEval(nothing, false, folder).map(({ what }) => what)).toEqual(['python3']);
      writeFileSync(join(folder, 'manifest.json'), '{}');
      expect(missingForEval(folder, false, folder)).toEqual([]);
      expect(missingForEval(folder, true, folder).map(({ what }) => what)).toEqual([
        'pocketsphinx with its English model',
      ]);
    });
  });
});
