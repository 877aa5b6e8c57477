/**
 * What a runtime and the host of a component say to each other (docs/spec/remote.md §2), by msgpackr. Subjects:
 *
 *   longcat.1.COMPONENT.find         who serves it? With a subject to answer at.
 *   longcat.1.COMPONENT.HOST.CLIENT  commands and steps of this client, one after the other.
 *   longcat.1.client.CLIENT          the answers.
 */
import { Packr } from 'msgpackr';
import type { EngineComponent } from '../lifecycle.ts';
import type { StreamCommand } from '../service.ts';
import type { CrossingError } from '../worker-protocol.ts';
import { malformed } from './parts.ts';

/** Of the messages; part of every subject, so that others do not hear each other. */
const VERSION = 1;

/** A model that both must have: other weights would go on with a conversation in another voice, or not at all. */
export interface ModelIdentity {
  readonly name: string;
  readonly hash: string;
}

export interface Find {
  readonly kind: 'find';
  readonly answerAt: string;
}

/** A host's answer to `find`. */
export interface Found {
  readonly kind: 'found';
  readonly host: string;
  readonly model: ModelIdentity;
  /** Open streams: the host with the fewest is chosen. */
  readonly streams: number;
}

export type ToHost =
  | { readonly kind: 'command'; readonly command: StreamCommand }
  | { readonly kind: 'step'; readonly request: number; readonly batch: readonly object[] }
  /** The client goes, and its streams with it. */
  | { readonly kind: 'bye' };

export type ToClient =
  | {
      readonly kind: 'answer';
      readonly request: number;
      readonly answers: readonly unknown[];
      /** From the step's arrival to the answer's departure, by the host's clock. */
      readonly tookMs: number;
    }
  | { readonly kind: 'failed'; readonly request: number; readonly error: CrossingError }
  /** Are you there? Where nobody hears it the client's streams are closed. */
  | { readonly kind: 'ping' };

export type RemoteMessage = Find | Found | ToHost | ToClient;

export const subjects = {
  find: (component: EngineComponent) => `longcat.${VERSION}.${component}.find`,
  host: (component: EngineComponent, host: string, client: string) =>
    `longcat.${VERSION}.${component}.${host}.${client}`,
  client: (client: string) => `longcat.${VERSION}.client.${client}`,
};

/** Typed arrays keep their kinds and their bits. */
const packr = new Packr({ moreTypes: true, useRecords: false, int64AsType: 'number' });

export function packed(message: RemoteMessage): Uint8Array {
  return packr.pack(message);
}

/** @throws RuntimeError `remote.malformed` */
export function unpacked(bytes: Uint8Array): RemoteMessage {
  let message: unknown;
  try {
    message = packr.unpack(bytes as Buffer);
  } catch (error) {
    throw malformed((error as Error).message);
  }
  if (typeof message !== 'object' || message === null || !('kind' in message)) throw malformed('no kind');
  return message as RemoteMessage;
}
