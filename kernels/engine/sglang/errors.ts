/** What goes wrong with an SGLang server, by name. */
import { RuntimeError } from '../../errors.ts';

export function malformed(what: string): RuntimeError {
  const remedy = 'Is it the makers’ Omni branch, and is its address right?';
  return new RuntimeError(
    'sglang.malformed',
    'The SGLang server says what cannot be read.',
    { what },
    remedy,
  );
}

/** It is not there, or says that it is not healthy. */
export function down(server: string, cause: string): RuntimeError {
  const remedy = `Start it, and wait until ${server}/health answers.`;
  return new RuntimeError('sglang.down', 'The SGLang server does not serve.', { server, cause }, remedy);
}

export function refused(status: number, said: string): RuntimeError {
  const values = { status, said: said.slice(0, 200) };
  const remedy = 'Its log says more.';
  return new RuntimeError('sglang.refused', 'The SGLang server refused a request.', values, remedy);
}

export function cut(rid: string, steps: number, cause: string): RuntimeError {
  const values = { rid, steps, cause };
  const remedy = 'The reply is asked for once more.';
  return new RuntimeError('sglang.cut', 'A reply of the SGLang server broke off.', values, remedy);
}

export function slow(rid: string, steps: number, waitedMs: number): RuntimeError {
  const values = { rid, steps, waitedMs };
  const remedy = 'See its load, and the bounds in kernels/engine/sglang/settings.ts.';
  return new RuntimeError('sglang.slow', 'The SGLang server took too long over a step.', values, remedy);
}

export function endedEarly(rid: string, steps: number, reason: string): RuntimeError {
  const values = { rid, steps, reason };
  const remedy = 'Its own count of a reply’s steps may be smaller than ours.';
  return new RuntimeError(
    'sglang.ended',
    'The SGLang server ended a reply that is not at its end.',
    values,
    remedy,
  );
}

/** It went on from another step than the one that is in the context. */
export function diverged(rid: string, step: number): RuntimeError {
  const remedy = 'With top_k 1 a reply that is asked for again is the same again.';
  const values = { rid, step };
  return new RuntimeError(
    'sglang.diverged',
    'The SGLang server made another reply than before.',
    values,
    remedy,
  );
}
