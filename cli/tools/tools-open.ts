import { RuntimeError } from '../../kernels/errors.ts';

/** `tools.open`: why tools could not be had. */
export function toolsOpen(source: string, cause: string): RuntimeError {
  const remedy =
    'Give a module that exports an array of tools, or an address that lists them (docs/tools.md).';
  return new RuntimeError('tools.open', 'The tools cannot be loaded.', { source, cause }, remedy);
}
