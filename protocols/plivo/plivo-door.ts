/**
 * The door for Plivo: `/plivo/answer` tells Plivo to connect a call, `/plivo` is the stream it then opens. With an auth
 * token only what Plivo signed comes in; without one the key comes in the address, `?key=…`.
 */
import type { Door, DoorContext } from '../door.ts';
import { admissionRefusal, errorAnswer, type HttpAnswer, type HttpRequest } from '../server/socket-server.ts';
import {
  type DigitSettings,
  escapedXml,
  openCarrierDoor,
  streamUrl,
  withKeyOfAddress,
  xmlAnswer,
} from '../telephone/index.ts';
import { PlivoDialect } from './plivo-dialect.ts';
import { isSignedByPlivo } from './signature.ts';

const STREAM_PATH = '/plivo';
const ANSWER_PATH = '/plivo/answer';

export interface PlivoOptions {
  /** Null: signatures are not checked. */
  readonly authToken: string | null;
  /** As Plivo reaches this server, for example `https://voice.example.com`; null: as the Host says. */
  readonly publicUrl: string | null;
  readonly digits: DigitSettings;
}

export function plivoDoor(options: PlivoOptions): Door {
  return {
    name: 'plivo',
    open(context) {
      context.host.route(['GET', 'POST'], ANSWER_PATH, request => answerCall(request, options, context));
      return openCarrierDoor({
        context,
        path: STREAM_PATH,
        digits: options.digits,
        refusal: request => refusal(request, options, context),
        dialect: () => new PlivoDialect(),
      });
    },
  };
}

function answerCall(request: HttpRequest, options: PlivoOptions, context: DoorContext): HttpAnswer {
  const form = new URLSearchParams(request.method === 'POST' ? request.body.toString('utf8') : '');
  const refused = refusal(request, options, context, form);
  if (refused) return refused;
  const key = options.authToken === null ? request.query.get('key') : null;
  const path = key === null ? STREAM_PATH : `${STREAM_PATH}?key=${encodeURIComponent(key)}`;
  const url = escapedXml(streamUrl(request, options.publicUrl, path));
  const how = 'bidirectional="true" keepCallAlive="true" contentType="audio/x-mulaw;rate=8000"';
  return xmlAnswer(`<Stream ${how}>${url}</Stream>`);
}

function refusal(
  request: HttpRequest,
  { authToken, publicUrl }: PlivoOptions,
  { authentication }: DoorContext,
  form?: URLSearchParams,
): HttpAnswer | null {
  if (authToken === null) {
    const admission = authentication.admit(withKeyOfAddress(request), false);
    return admission.ok ? null : admissionRefusal(admission);
  }
  if (isSignedByPlivo(request, authToken, publicUrl, form)) return null;
  return errorAnswer(
    403,
    'invalid_signature',
    'Plivo did not sign this request with the auth token set here.',
  );
}
