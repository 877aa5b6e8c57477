import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { RuntimeError } from '../../kernels/errors.ts';

/**
 * Fails before a long run, not after it: when the file cannot be written, and when it is one of those that are read.
 * @throws RuntimeError `media.unwritable`, `media.same-file`
 */
export function checkOutput(path: string, inputs: readonly (string | undefined)[] = []): void {
  for (const input of inputs) {
    if (input === undefined || !isSameFile(path, input)) continue;
    throw new RuntimeError(
      'media.same-file',
      'The output would replace the input.',
      { output: path, input },
      'Choose another name.',
    );
  }
  try {
    const folder = dirname(resolve(path));
    accessSync(existsSync(path) ? path : folder, constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw { code: 'EISDIR' };
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code;
    throw new RuntimeError(
      'media.unwritable',
      'The file cannot be written.',
      { path, cause },
      'Choose another place.',
    );
  }
}

/** Also by another path, a link or a hard link. */
function isSameFile(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true;
  const [first, second] = [a, b].map(path => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}
