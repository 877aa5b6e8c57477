import { encodePcm16 } from '../media/pcm16.js';
import { REALTIME_DOOR } from '../wire/doors.js';
import { serverEvents } from './server-events.js';
import { sessionOf, turnDetection } from './settings.js';

/**
 * What a person does, in the words of a protocol.
 *
 * @typedef {object} Protocol
 * @property {import('../wire/doors.js').Door} door
 * @property {Record<string, (event: any) => void>} handlers of what the server says
 * @property {boolean} canStop a press of a button ends the agent's turn
 * @property {boolean} takesPictures as events, where no track carries them
 * @property {boolean} ownsTurns the server ends the person's turns: whoever lets go of the button is silent from then
 * on
 * @property {() => void} opened a line is there
 * @property {() => void} ends the person goes
 * @property {(pcm: Int16Array) => void} hear
 * @property {(frame: Int16Array, level: number) => void} sounds what the track brings
 * @property {(muted: boolean) => void} mutes
 * @property {() => void} presses
 * @property {() => void} releases
 * @property {(text: string) => void} writes
 * @property {(itemId: string, samples: number) => void} heard
 * @property {(changes: Partial<import('./settings.js').Settings>) => void} set
 */

/** OpenAI Realtime: the client says when, and is told what the server makes of it. @implements {Protocol} */
export class Realtime {
  canStop = true;
  takesPictures = true;
  ownsTurns = false;
  door = REALTIME_DOOR;

  /** @param {import('./conversation.js').Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    this.handlers = serverEvents(conversation);
  }

  send(event) {
    this.conversation.send(event);
  }

  opened() {
    this.send({ type: 'session.update', session: sessionOf(this.conversation.settings) });
  }

  ends() {}

  hear(pcm) {
    this.send({ type: 'input_audio_buffer.append', audio: encodePcm16(pcm) });
  }

  sounds() {}

  mutes() {}

  presses() {
    this.send({ type: 'input_audio_buffer.clear' });
  }

  releases() {
    this.send({ type: 'input_audio_buffer.commit' });
    this.send({ type: 'response.create' });
  }

  writes(text) {
    const content = [{ type: 'input_text', text }];
    this.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    this.send({ type: 'response.create' });
  }

  heard(item_id, samples) {
    this.send({ type: 'longcat.playback.report', item_id, samples });
  }

  set(changes) {
    const { settings } = this.conversation;
    if ('mode' in changes || 'turnPreset' in changes)
      this.update({ audio: { input: { turn_detection: turnDetection(settings) } } });
    if ('instructions' in changes) this.update({ instructions: settings.instructions });
  }

  update(session) {
    this.send({ type: 'session.update', session: { type: 'realtime', ...session } });
  }
}
