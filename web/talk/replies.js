import { decodePcm16, SAMPLE_RATE_HZ } from '../media/pcm16.js';
import { Player } from '../media/player.js';

/** Replies whose account is kept; the oldest go. */
const MAX_REPLIES = 64;

/**
 * The agent's answers on their way to the ear: what came, what was heard, and what stops them.
 *
 * @typedef {{ received: number, heard: number, finished: boolean }} Reply in samples
 */
export class Replies {
  /** @param {import('./conversation.js').Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    /** @type {Map<string, Reply>} by item */
    this.replies = new Map();
    /** Responses that the server is still giving. */
    this.active = new Set();
    this.player = new Player({
      onHeard: (itemId, samples) => this.heard(itemId, samples),
      onLevel: (level, gaps) => {
        conversation.view.agentLevel(level);
        conversation.statistics.gaps = gaps;
      },
    });
  }

  newSession() {
    this.drop(null);
    this.player.setGainDb(0);
    this.replies.clear();
    this.active.clear();
  }

  /** Sound of the agent waits or plays. */
  get sounding() {
    for (const { received, heard } of this.replies.values()) if (received > heard) return true;
    return false;
  }

  get stoppable() {
    return this.sounding || this.active.size > 0;
  }

  began(item) {
    const { turns, nowMs } = this.conversation;
    if (item?.type === 'message') turns.agentBegan(item.id, nowMs());
  }

  text(itemId, delta, written) {
    this.conversation.turns.ofAgent(itemId, turn => turn.write(delta, written));
  }

  sound(itemId, base64) {
    const { recording, nowMs } = this.conversation;
    const samples = decodePcm16(base64);
    this.reply(itemId).received += samples.length;
    recording.received(itemId, samples, nowMs());
    this.player.add(itemId, samples);
    this.conversation.changed();
  }

  soundDone(itemId) {
    this.reply(itemId).finished = true;
    this.player.finish(itemId);
  }

  /** @param {any} item of `response.output_item.done` */
  itemDone({ id, status }) {
    const { turns, recording } = this.conversation;
    const sound = status === 'completed' ? recording.wholeItem(id) : null;
    turns.ofAgent(id, turn => turn.complete(sound?.length ? sound : null));
    this.announceIfOver(id);
  }

  /** The loudspeaker's word; the server is told, so that it remembers no more than this. */
  heard(itemId, samples) {
    const { turns, recording, statistics, nowMs } = this.conversation;
    const reply = this.replies.get(itemId);
    if (reply && samples > reply.heard) {
      statistics.heardAudioMs += ((samples - reply.heard) * 1000) / SAMPLE_RATE_HZ;
      reply.heard = samples;
    }
    recording.heardUntil(itemId, samples, nowMs());
    turns.ofAgent(itemId, turn => {
      turn.hear(samples);
      turn.playable = true;
    });
    this.conversation.send({ type: 'longcat.playback.report', item_id: itemId, samples });
    this.announceIfOver(itemId);
    this.conversation.changed();
  }

  /** Stops the agent by hand: it gives no more, nothing more is heard, and it learns what was. */
  interrupt() {
    if (this.active.size > 0) this.conversation.send({ type: 'response.cancel' });
    for (const [itemId, reply] of this.replies) {
      if (reply.received <= reply.heard) continue;
      this.drop(itemId);
      this.conversation.send({
        type: 'conversation.item.truncate',
        item_id: itemId,
        content_index: 0,
        audio_end_ms: Math.floor((reply.heard * 1000) / SAMPLE_RATE_HZ),
      });
    }
    this.conversation.changed();
  }

  /** What was not heard of this item never will be. @param {string | null} itemId null = everything */
  drop(itemId) {
    this.player.clear(itemId);
    for (const [id, reply] of this.replies) {
      if ((itemId !== null && id !== itemId) || reply.received <= reply.heard) continue;
      reply.received = reply.heard;
      this.conversation.turns.ofAgent(id, turn => turn.interrupt());
    }
    this.conversation.changed();
  }

  /** The server cut it to what was heard, but does not say to what: it is asked for. */
  truncated(itemId) {
    const { turns, view, statistics } = this.conversation;
    this.drop(itemId);
    statistics.interrupted += 1;
    turns.ofAgent(itemId, turn => {
      turn.interrupt();
      view.announcer.turn(turn);
    });
    this.conversation.send({ type: 'conversation.item.retrieve', item_id: itemId });
  }

  announceIfOver(itemId) {
    const { turns, view } = this.conversation;
    const reply = this.replies.get(itemId);
    if (reply && (!reply.finished || reply.received > reply.heard)) return;
    const turn = turns.all.get(itemId);
    if (turn?.side === 'agent' && turn.done) view.announcer.turn(turn);
  }

  /** @param {string} itemId @returns {Reply} */
  reply(itemId) {
    const reply = this.replies.get(itemId) ?? { received: 0, heard: 0, finished: false };
    this.replies.set(itemId, reply);
    if (this.replies.size > MAX_REPLIES) this.replies.delete(this.replies.keys().next().value ?? '');
    return reply;
  }
}
