// What the addon is compiled from, in another folder, so that the ordinary build stays as it is: of kernels/ all but
// that build, of the other rooms the C++ that binding.gyp names.
import { cpSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** @param {string} copy an empty folder */
export function copySources(copy) {
  const build = join(repository, 'kernels/native/build');
  cpSync(join(repository, 'kernels'), join(copy, 'kernels'), {
    recursive: true,
    filter: path => path !== build,
  });
  cpSync(join(repository, 'protocols'), join(copy, 'protocols'), {
    recursive: true,
    filter: path => statSync(path).isDirectory() || /\.(cpp|h)$/.test(path),
  });
  cpSync(join(repository, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
}
