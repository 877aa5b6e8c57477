/** What tests tell a session, and what they want to know of it afterwards. */
import type {
  ConversationItem,
  NewItem,
  ResponseOptions,
  Session,
  SessionSettings,
} from '../../actors/index.ts';
import type { RgbImage } from '../../kernels/engine/index.ts';

export const pushAudio = (session: Pick<Session, 'send'>, samples: Float32Array): void =>
  session.send({ type: 'audio', samples });

export const pushVideo = (session: Session, image: RgbImage, capturedAtMs?: number): void =>
  session.send({ type: 'picture', image, ...(capturedAtMs !== undefined && { capturedAtMs }) });

/** Returns the id of the item. */
export function commitInput(session: Session): string {
  session.send({ type: 'input.commit' });
  return session.items.findLast(({ role }) => role === 'user')!.id;
}

export const clearInput = (session: Session): void => session.send({ type: 'input.clear' });

export function addItem(session: Session, item: NewItem, after?: string | null): ConversationItem {
  const before = new Set(session.items.map(({ id }) => id));
  session.send({ type: 'item.add', item, ...(after !== undefined && { after }) });
  return session.items.find(({ id }) => !before.has(id))!;
}

export const deleteItem = (session: Session, itemId: string): void =>
  session.send({ type: 'item.delete', itemId });

export const truncateItem = (session: Session, itemId: string, audioEndMs: number): void =>
  session.send({ type: 'item.truncate', itemId, audioEndMs });

/** Returns the id of the response. */
export function createResponse(session: Session, options: Partial<ResponseOptions> = {}): string {
  let responseId = '';
  const listening = session.events$.subscribe(event => {
    if (event.type === 'response.created') responseId = event.responseId;
  });
  try {
    session.send({ type: 'response.create', options });
  } finally {
    listening.unsubscribe();
  }
  return responseId;
}

export const cancelResponse = (session: Session, responseId?: string): void =>
  session.send({ type: 'response.cancel', ...(responseId !== undefined && { responseId }) });

export const update = (session: Session, settings: Partial<SessionSettings>): void =>
  session.send({ type: 'settings.update', settings });

export const reportHeard = (session: Session, itemId: string, samples: number): void =>
  session.send({ type: 'played', itemId, samples });
