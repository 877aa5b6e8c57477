import { type BetaFields, fromBetaEvent, isGaEvent } from './from-beta.ts';
import { toBetaEvents } from './to-beta.ts';

/**
 * Which of the protocol's two shapes a connection speaks: the beta's behind its header, until an event shows that its
 * client speaks GA.
 */
export class WireShape {
  #isBeta: boolean;

  constructor(isBeta: boolean) {
    this.#isBeta = isBeta;
  }

  /** A client's event in the GA shape; nothing of it has been checked yet. */
  incoming(event: BetaFields): BetaFields {
    if (!this.#isBeta) return event;
    this.#isBeta = !isGaEvent(event);
    return this.#isBeta ? fromBetaEvent(event) : event;
  }

  /** What the client is told instead of this event of the GA shape. */
  outgoing(
    type: string,
    fields: BetaFields,
  ): readonly { readonly type: string; readonly fields: BetaFields }[] {
    return this.#isBeta ? toBetaEvents(type, fields) : [{ type, fields }];
  }
}
