/**
 * `GET /calls` lists the telephone calls that are up; a WebSocket at `/calls/ID/listen` tells what happens in one, and
 * carries both voices. Whoever has a key may; nothing that comes from there reaches the call.
 */
import type { Connection, ConnectionListener } from '../connection.ts';
import type { Door, DoorContext, OpenDoor } from '../door.ts';
import { ConnectionWatch, SlowReaderGuard } from '../guard/index.ts';
import { offeredSubprotocols } from '../server/authentication.ts';
import { refuse } from '../server/http-host.ts';
import {
  admissionRefusal,
  errorAnswer,
  type HttpRequest,
  jsonAnswer,
  type UpgradeDecision,
} from '../server/socket-server.ts';
import { callTold, type NumbersShown } from './told.ts';
import { type CallWatcher, WatchedCall } from './watched-call.ts';

export interface ListeningOptions {
  readonly numbers: NumbersShown;
}

/** Beside which a browser's key travels. */
const SUBPROTOCOL = 'calls';
const LISTEN = /^\/calls\/([\w-]{1,64})\/listen$/;
const MAX_WATCHERS_A_CALL = 8;
const MAX_WATCHERS = 64;
const MAX_FRAME_BYTES = 1024;
const CLOSE_NORMAL = 1000;
const CLOSE_POLICY = 1008;
/** Two seconds of sound: who is behind by more hears something else than what is said. */
const MAX_UNSENT_BYTES = 100_000;

export function listeningDoor(options: ListeningOptions): Door {
  return {
    name: 'listening-in',
    open(context): OpenDoor {
      const { authentication, host, switchboard } = context;
      const watched = new Map<string, WatchedCall>();
      const closers = new Set<() => void>();
      host.route(['GET'], '/calls', request => {
        const admission = authentication.admit(request, false);
        if (!admission.ok) return admissionRefusal(admission);
        const calls = switchboard.entries().map(entry => callTold(entry, options.numbers));
        return jsonAnswer(200, { calls }, { 'cache-control': 'no-store' });
      });
      host.upgrade(LISTEN, request => decide(request, context, watched, closers));
      return {
        close() {
          for (const close of closers) close();
        },
      };
    },
  };
}

function decide(
  request: HttpRequest,
  context: DoorContext,
  watched: Map<string, WatchedCall>,
  closers: Set<() => void>,
): UpgradeDecision {
  const admission = context.authentication.admit(request, false);
  if (!admission.ok) return refuse(admissionRefusal(admission));
  const id = LISTEN.exec(request.path)![1];
  const call = context.switchboard.get(id);
  if (!call) return refuse(errorAnswer(404, 'call_not_found', 'There is no such call, or it is over.'));
  const isFull = (watched.get(id)?.size ?? 0) >= MAX_WATCHERS_A_CALL || closers.size >= MAX_WATCHERS;
  if (isFull) return refuse(errorAnswer(503, 'too_many_listeners', 'Too many listen already.'));
  return {
    accept: true,
    subprotocol: offeredSubprotocols(request).includes(SUBPROTOCOL) ? SUBPROTOCOL : null,
    maxMessageBytes: MAX_FRAME_BYTES,
    onOpen: connection => {
      if (context.switchboard.get(id) !== call) {
        connection.close(CLOSE_NORMAL, 'the call is over');
        return { onText() {}, onBinary() {}, onClose: code => context.metrics.connectionClosed(code) };
      }
      let one = watched.get(id);
      if (!one) {
        one = new WatchedCall(call, context.clock, () => watched.delete(id));
        watched.set(id, one);
      }
      context.log.info({ call: id }, 'Somebody listens in on a call.');
      return watch(connection, one, context, closers);
    },
  };
}

function watch(
  connection: Connection,
  call: WatchedCall,
  { clock, limits, metrics }: DoorContext,
  closers: Set<() => void>,
): ConnectionListener {
  const leave = () => {
    closers.delete(close);
    lifetime.stop();
    call.leave(watcher);
  };
  const guard: SlowReaderGuard = new SlowReaderGuard(connection, MAX_UNSENT_BYTES, () => {
    metrics.slowReader();
    leave();
  });
  const close = (code = CLOSE_NORMAL, reason = 'the server is closing') => {
    leave();
    guard.close(code, reason);
  };
  const lifetime = new ConnectionWatch(
    clock,
    { idleMs: limits.lifetimeMs, lifetimeMs: limits.lifetimeMs },
    () => close(CLOSE_NORMAL, 'long enough'),
  );
  const send = (frame: string | Uint8Array) => {
    if (guard.mayDeliver()) connection.send(frame);
  };
  const watcher: CallWatcher = {
    tell: event => send(JSON.stringify(event)),
    sound: bytes => send(bytes),
    over: () => close(CLOSE_NORMAL, 'the call is over'),
  };
  const unwanted = () => close(CLOSE_POLICY, 'nothing is taken here');
  closers.add(close);
  call.join(watcher);
  return {
    onText: unwanted,
    onBinary: unwanted,
    onClose: code => {
      metrics.connectionClosed(code);
      leave();
    },
  };
}
