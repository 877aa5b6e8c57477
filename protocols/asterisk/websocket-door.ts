/**
 * The door for Asterisk's chan_websocket at `/asterisk`. A key comes as the password of websocket_client.conf, or as
 * any client has it.
 */
import type { Door } from '../door.ts';
import { admissionRefusal, type HttpRequest } from '../server/socket-server.ts';
import { type DigitSettings, openCarrierDoor } from '../telephone/index.ts';
import { AsteriskDialect } from './websocket-dialect.ts';

const PATH = '/asterisk';
const SUBPROTOCOL = 'media';

export function asteriskDoor(digits: DigitSettings): Door {
  return {
    name: 'asterisk',
    open: context =>
      openCarrierDoor({
        context,
        path: PATH,
        digits,
        subprotocol: SUBPROTOCOL,
        refusal: request => {
          const admission = context.authentication.admit(withBasicKey(request), false);
          return admission.ok ? null : admissionRefusal(admission);
        },
        dialect: () => new AsteriskDialect(),
      }),
  };
}

/** The password of HTTP's Basic as a bearer of the key. */
function withBasicKey(request: HttpRequest): HttpRequest {
  const basic = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (basic === undefined) return request;
  const pair = Buffer.from(basic, 'base64').toString('utf8');
  const password = pair.slice(pair.indexOf(':') + 1);
  return { ...request, headers: new Map([...request.headers, ['authorization', `Bearer ${password}`]]) };
}
