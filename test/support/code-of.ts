import type { RuntimeError } from '../../kernels/errors.ts';

/** The stable code of what an action throws. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as RuntimeError).code;
  }
  return 'no error';
}

/** The same of a promise. */
export async function codeOfRejection(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as RuntimeError).code;
  }
  return 'no error';
}
