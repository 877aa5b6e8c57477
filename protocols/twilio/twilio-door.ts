/**
 * The door for Twilio: `POST /twilio/voice` tells Twilio to connect a call, `/twilio` is the stream it then opens. With
 * an auth token only what Twilio signed comes in; without one it is the server's API keys that let in, which Twilio
 * cannot present, so that is for loopback and tests.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { Door, DoorContext } from '../door.ts';
import { admissionRefusal, errorAnswer, type HttpAnswer, type HttpRequest } from '../server/socket-server.ts';
import { type CallStart, type DigitSettings, openCarrierDoor, streamUrl } from '../telephone/index.ts';
import { isSignedByTwilio } from './signature.ts';
import { TwilioDialect } from './twilio-dialect.ts';
import { connectStream } from './twiml.ts';

const STREAM_PATH = '/twilio';
const VOICE_PATH = '/twilio/voice';

export interface TwilioOptions {
  /** Null: signatures are not checked. */
  readonly authToken: string | null;
  /** Calls of other accounts are refused; null: any. */
  readonly accountSid: string | null;
  /** As Twilio reaches this server, for example `https://voice.example.com`; null: as the Host says. */
  readonly publicUrl: string | null;
  readonly digits: DigitSettings;
}

export function twilioDoor(options: TwilioOptions): Door {
  return {
    name: 'twilio',
    open(context) {
      context.host.route(['POST'], VOICE_PATH, request => answerCall(request, options, context));
      return openCarrierDoor({
        context,
        path: STREAM_PATH,
        digits: options.digits,
        refusal: request => refusal(request, options, context),
        admit: start => checkAccount(start, options),
        dialect: () => new TwilioDialect(),
      });
    },
  };
}

function answerCall(request: HttpRequest, options: TwilioOptions, context: DoorContext): HttpAnswer {
  const form = new URLSearchParams(request.body.toString('utf8'));
  const refused = refusal(request, options, context, form);
  if (refused) return refused;
  return connectStream(streamUrl(request, options.publicUrl, STREAM_PATH), form);
}

function refusal(
  request: HttpRequest,
  { authToken, publicUrl }: TwilioOptions,
  { authentication }: DoorContext,
  form: URLSearchParams | null = null,
): HttpAnswer | null {
  if (authToken === null) {
    const admission = authentication.admit(request, false);
    return admission.ok ? null : admissionRefusal(admission);
  }
  if (isSignedByTwilio(request, authToken, publicUrl, form)) return null;
  return errorAnswer(
    403,
    'invalid_signature',
    'Twilio did not sign this request with the auth token set here.',
  );
}

function checkAccount({ parameters }: CallStart, { accountSid }: TwilioOptions): void {
  if (accountSid === null || parameters.accountSid === accountSid) return;
  throw new RuntimeError('carrier.refused', 'The call is of another account.', {
    accountSid: parameters.accountSid,
  });
}
