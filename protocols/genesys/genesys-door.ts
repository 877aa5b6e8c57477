/**
 * The door for Genesys at `/genesys`. Its key comes as `X-API-KEY` and is one of the server's; with a client secret it
 * must have signed its request, too.
 */
import type { Door } from '../door.ts';
import { admissionRefusal, errorAnswer, type HttpRequest } from '../server/socket-server.ts';
import { type DigitSettings, openCarrierDoor } from '../telephone/index.ts';
import { GenesysDialect } from './genesys-dialect.ts';
import { GenesysSignatures } from './signature.ts';

export interface GenesysOptions {
  /** Base64, as Genesys shows it; null: signatures are not checked. */
  readonly clientSecret: string | null;
  /** As Genesys reaches this server; null: as the Host says. */
  readonly publicUrl: string | null;
  readonly digits: DigitSettings;
}

export function genesysDoor({ clientSecret, digits, publicUrl }: GenesysOptions): Door {
  return {
    name: 'genesys',
    open: context => {
      const signatures =
        clientSecret === null ? null : new GenesysSignatures(clientSecret, publicUrl, context.unixTimeMs);
      return openCarrierDoor({
        context,
        path: '/genesys',
        digits,
        refusal: request => {
          const admission = context.authentication.admit(withApiKey(request), false);
          if (!admission.ok) return admissionRefusal(admission);
          if (!signatures || signatures.isSigned(request)) return null;
          const message = 'Genesys did not sign this request with the client secret set here.';
          return errorAnswer(401, 'invalid_signature', message);
        },
        dialect: () => new GenesysDialect(),
      });
    },
  };
}

/** As a key like any other. */
function withApiKey(request: HttpRequest): HttpRequest {
  const key = request.headers.get('x-api-key');
  return key === undefined
    ? request
    : { ...request, headers: new Map([...request.headers, ['api-key', key]]) };
}
