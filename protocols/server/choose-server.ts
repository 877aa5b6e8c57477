import { RuntimeError } from '../../kernels/errors.ts';
import {
  MAX_HEADER_BYTES,
  type SocketServer,
  type SocketServerKind,
  type SocketServerOptions,
} from './socket-server.ts';
import { startUwsServer } from './uws-server.ts';
import { startWsServer } from './ws-server.ts';

/**
 * `ws` can stop reading from a client that sends faster than its events are handled, so it is what serves by itself; uWebSockets.js has to
 * take what comes and put such a client out. Error `server.uws-missing` where that is wanted and does not load.
 */
export async function startSocketServer(
  wanted: SocketServerKind,
  options: SocketServerOptions,
): Promise<SocketServer> {
  if (wanted === 'ws') return startWsServer(options);
  // Its own 4 KB are read once, from the environment, when its binary loads.
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(MAX_HEADER_BYTES);
  const loaded = await import('uWebSockets.js').catch((error: unknown) => error as Error);
  if (!(loaded instanceof Error)) return startUwsServer(loaded.default, options);
  throw new RuntimeError(
    'server.uws-missing',
    'uWebSockets.js does not load here.',
    { reason: loaded.message.split('\n')[0] },
    'Leave the setting socketServer out: ws serves everywhere.',
  );
}
