import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The first Python that has these modules: Debian's packages are seen by its own Python alone. */
export function pythonWith(...modules: string[]): string | undefined {
  const missing = `any(u.find_spec(name) is None for name in ${JSON.stringify(modules)})`;
  return ['python3', '/usr/bin/python3'].find(
    each =>
      (each === 'python3' || existsSync(each)) &&
      spawnSync(each, ['-c', `import importlib.util as u, sys; sys.exit(${missing})`]).status === 0,
  );
}
