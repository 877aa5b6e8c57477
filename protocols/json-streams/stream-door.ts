/**
 * The doors for Telnyx at `/telnyx` and Exotel at `/exotel`. Neither signs its streams: the key comes in the address,
 * `?key=…`.
 */
import type { Door } from '../door.ts';
import { admissionRefusal } from '../server/socket-server.ts';
import { type DigitSettings, openCarrierDoor, withKeyOfAddress } from '../telephone/index.ts';
import { EXOTEL, type StreamCarrier, TELNYX } from './carriers.ts';
import { StreamDialect } from './stream-dialect.ts';

export const telnyxDoor = (digits: DigitSettings): Door => streamDoor(TELNYX, digits);
export const exotelDoor = (digits: DigitSettings): Door => streamDoor(EXOTEL, digits);

function streamDoor(carrier: StreamCarrier, digits: DigitSettings): Door {
  return {
    name: carrier.carrier,
    open: context =>
      openCarrierDoor({
        context,
        path: carrier.path,
        digits,
        refusal: request => {
          const admission = context.authentication.admit(withKeyOfAddress(request), false);
          return admission.ok ? null : admissionRefusal(admission);
        },
        dialect: () => new StreamDialect(carrier),
      }),
  };
}
