import { Problem } from '../talk/problem.js';

/** @type {Record<string, [what: string, remedy: string]>} */
const REFUSALS = {
  down: [
    'The server does not answer.',
    'Is it still running? Start it with “npm start”, then press Start here.',
  ],
  full: ['All places are taken.', 'Try again in a moment.'],
  notReady: ['The server is not ready.', 'Its log says why. Try again in a moment.'],
  key: ['This server wants an API key.', 'Enter one of those it was started with.'],
  other: [
    'The server refused the connection.',
    'Open the page from the address it prints, or add this one to allowedOrigins.',
  ],
};

/**
 * The browser hides why an upgrade failed; ordinary requests to the same server tell.
 *
 * @param {string} key
 * @returns {Promise<{ problem: Problem, passes: boolean, isUp: boolean }>} `passes`: another try may be let in
 */
export async function whyRefused(key) {
  const health = await fetch('/healthz')
    .then(answer => answer.json())
    .catch(() => null);
  if (!health) return { problem: new Problem(...REFUSALS.down), passes: true, isUp: false };
  if (health.sessions >= health.limits?.maxSessions)
    return { problem: new Problem(...REFUSALS.full), passes: true, isUp: true };
  const headers = new Headers(key ? { authorization: `Bearer ${key}` } : {});
  const { status } = await fetch('/metrics', { headers }).catch(() => ({ status: 0 }));
  const problem = new Problem(...(status === 401 ? REFUSALS.key : REFUSALS.other));
  problem.needsKey = status === 401;
  if (!problem.needsKey && health.status !== undefined && health.status !== 'ok')
    return { problem: new Problem(...REFUSALS.notReady), passes: true, isUp: true };
  return { problem, passes: false, isUp: true };
}
