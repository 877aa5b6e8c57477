/** A door for a carrier that brings its calls by WebSocket: one path, who may use it, and its dialect. */
import type { OpenDoor } from '../door.ts';
import { offeredSubprotocols } from '../server/authentication.ts';
import { refuse } from '../server/http-host.ts';
import { errorAnswer, type HttpAnswer, type HttpRequest } from '../server/socket-server.ts';
import { CarrierConnection, type CarrierOptions } from './carrier-connection.ts';
import type { Dialect } from './dialect.ts';

/** Of one frame: a second of the widest sound, base64 and its JSON. */
const MAX_FRAME_BYTES = 256 * 1024;

export interface CarrierDoorOptions extends CarrierOptions {
  readonly path: string;
  /** Null: may come in. */
  readonly refusal: (request: HttpRequest) => HttpAnswer | null;
  /** That the carrier offers and wants chosen; null: none. */
  readonly subprotocol?: string;
  readonly dialect: () => Dialect;
}

export function openCarrierDoor(options: CarrierDoorOptions): OpenDoor {
  const { context, path, refusal, subprotocol, dialect } = options;
  const { host, readiness } = context;
  const connections = new Set<CarrierConnection>();
  host.upgrade(path, request => {
    const refused = refusal(request) ?? readiness.refusal();
    if (refused) return refuse(refused);
    const chosen = subprotocol && offeredSubprotocols(request).includes(subprotocol) ? subprotocol : null;
    return {
      accept: true,
      subprotocol: chosen,
      maxMessageBytes: MAX_FRAME_BYTES,
      onOpen: connection => {
        const call = new CarrierConnection(connection, dialect(), options);
        connections.add(call);
        return {
          onText: text => call.onText(text),
          onBinary: bytes => call.onBinary(bytes),
          onClose: code => {
            connections.delete(call);
            call.onClose(code);
          },
        };
      },
    };
  });
  host.route(null, path, () =>
    errorAnswer(426, 'upgrade_required', 'This is a WebSocket endpoint.', { upgrade: 'websocket' }),
  );
  return {
    close() {
      for (const call of connections) call.shutDown();
    },
  };
}
