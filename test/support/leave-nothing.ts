/**
 * For test files that share their worker with others (vitest.config.ts): what one leaves behind, the next would meet.
 * So the file fails that leaves it, not one of those after it.
 */
import { afterAll, beforeAll, expect, vi } from 'vitest';

/**
 * The server sets the first before it loads uWebSockets.js, to the same in every test; sharp the other as it is loaded,
 * which is when the first test needs it.
 */
const SET_ONCE = ['UWS_HTTP_MAX_HEADERS_SIZE', 'VIPSHOME'];

// As the server does (choose-server.ts): read once, when the library loads, and another file may load it first.
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '65536';

const environment = { ...process.env };

/** Of the process: who listens to it, names in its environment that changed, servers and ports that are open. */
function left(): Record<string, unknown> {
  const names = new Set([...Object.keys(environment), ...Object.keys(process.env)]);
  for (const name of SET_ONCE) names.delete(name);
  return {
    listeners: process.eventNames().map(name => `${String(name)} ${process.listenerCount(name)}`),
    changed: [...names].filter(name => environment[name] !== process.env[name]),
    open: process.getActiveResourcesInfo().filter(name => /^(TCPServer|UDP|Process)/.test(name)),
    isTimeFake: vi.isFakeTimers(),
  };
}

let before: Record<string, unknown>;
beforeAll(() => {
  before = left();
});
// Declared before those of the file, so it runs after them; a server that was told to close may take a moment more.
afterAll(() => vi.waitFor(() => expect(left()).toEqual(before), { timeout: 60_000 }));
