/** The door for Vonage at `/vonage`. It signs no streams: the key comes in the address, `?key=…`. */
import type { Door } from '../door.ts';
import { admissionRefusal } from '../server/socket-server.ts';
import { type DigitSettings, openCarrierDoor, withKeyOfAddress } from '../telephone/index.ts';
import { VonageDialect } from './vonage-dialect.ts';

export function vonageDoor(digits: DigitSettings): Door {
  return {
    name: 'vonage',
    open: context =>
      openCarrierDoor({
        context,
        path: '/vonage',
        digits,
        refusal: request => {
          const admission = context.authentication.admit(withKeyOfAddress(request), false);
          return admission.ok ? null : admissionRefusal(admission);
        },
        dialect: () => new VonageDialect(),
      }),
  };
}
