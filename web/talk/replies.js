import { SAMPLE_RATE_HZ } from '../media/pcm16.js';
import { Player } from '../media/player.js';
import { TrackPlayer } from '../media/track-player.js';

/** Replies whose account is kept; the oldest go. */
const MAX_REPLIES = 64;
/** The first frames after the server began to play may be the silence before: this much of it is passed over. */
const MAX_LEAD_FRAMES = 25;
const AUDIBLE = 0.001;

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
    /** Items by the response that they are of. @type {Map<string, string>} */
    this.items = new Map();
    /** By response, in which a call may be told before what is said before it. @type {Map<string, string[]>} */
    this.calls = new Map();
    /** What the server plays on the track. @type {{ itemId: string, lead: number } | null} */
    this.playing = null;
    this.track = new TrackPlayer((pcm, level) => this.frame(pcm, level));
  }

  newSession() {
    this.drop(null);
    this.player.setGainDb(0);
    this.replies.clear();
    this.active.clear();
    this.items.clear();
    this.playing = null;
  }

  /** Sound of the agent waits or plays. */
  get sounding() {
    if (this.playing) return true;
    for (const { received, heard } of this.replies.values()) if (received > heard) return true;
    return false;
  }

  get stoppable() {
    return this.sounding || this.active.size > 0;
  }

  began(item, responseId) {
    const { turns, nowMs } = this.conversation;
    this.items.set(responseId, item?.id);
    if (this.items.size > MAX_REPLIES) this.items.delete(this.items.keys().next().value ?? '');
    if (item?.type === 'message') turns.agentBegan(item.id, nowMs(), this.calls.get(responseId));
    else this.calls.set(responseId, [...(this.calls.get(responseId) ?? []), item?.id]);
    if (this.calls.size > MAX_REPLIES) this.calls.delete(this.calls.keys().next().value ?? '');
  }

  text(itemId, delta, written) {
    this.conversation.turns.ofAgent(itemId, turn => turn.write(delta, written));
  }

  /** @param {string} itemId @param {Float32Array} samples given away */
  sound(itemId, samples) {
    const { recording, nowMs } = this.conversation;
    this.reply(itemId).received += samples.length;
    recording.received(itemId, samples, nowMs());
    this.player.add(itemId, samples);
    this.conversation.changed();
  }

  /** The server plays it on the track from now on. */
  plays(responseId) {
    const itemId = this.items.get(responseId);
    if (itemId !== undefined) this.playsItem(itemId);
  }

  /** @param {string} itemId what the track brings from now on is of this one */
  playsItem(itemId) {
    if (this.playing?.itemId === itemId) return;
    this.playing = { itemId, lead: 0 };
    this.conversation.changed();
  }

  /** It was played to its end. */
  played(responseId) {
    const { turns, recording } = this.conversation;
    const itemId = this.items.get(responseId);
    if (this.playing?.itemId === itemId) this.playing = null;
    if (itemId === undefined) return;
    const sound = recording.wholeItem(itemId);
    turns.ofAgent(itemId, turn => {
      turn.complete(sound.length > 0 ? sound : null);
      turn.hear(sound.length);
    });
    this.announceIfOver(itemId);
    this.conversation.changed();
  }

  /** It was cut short; what was said of it stands. */
  cleared(responseId) {
    if (this.playing?.itemId === this.items.get(responseId)) this.playing = null;
    this.conversation.changed();
  }

  /** What sounds on the track now. @param {Int16Array} pcm @param {number} level */
  frame(pcm, level) {
    const { conversation } = this;
    conversation.view.agentLevel(level);
    conversation.protocol.sounds(pcm, level);
    const { playing } = this;
    if (!playing) return;
    const { recording, turns, statistics, nowMs } = conversation;
    const reply = this.reply(playing.itemId);
    if (reply.heard === 0 && level < AUDIBLE && playing.lead++ < MAX_LEAD_FRAMES) return;
    reply.received += pcm.length;
    reply.heard += pcm.length;
    statistics.heardAudioMs += (pcm.length * 1000) / SAMPLE_RATE_HZ;
    recording.received(
      playing.itemId,
      Float32Array.from(pcm, value => value / 32_767),
      nowMs(),
    );
    recording.heardUntil(playing.itemId, reply.heard, nowMs());
    turns.ofAgent(playing.itemId, turn => {
      turn.hear(reply.heard);
      turn.playable = true;
    });
  }

  /** No more of it will come, and nothing tells of that but the silence. @param {string} itemId */
  itemOver(itemId) {
    if (this.playing?.itemId === itemId) this.playing = null;
    this.soundDone(itemId);
    const sound = this.conversation.recording.wholeItem(itemId);
    this.conversation.turns.ofAgent(itemId, turn => turn.complete(sound.length > 0 ? sound : null));
    this.announceIfOver(itemId);
    this.conversation.changed();
  }

  soundDone(itemId) {
    this.reply(itemId).finished = true;
    this.player.finish(itemId);
  }

  /** @param {any} item of `response.output_item.done` */
  itemDone({ id, status }) {
    const { turns, recording, connection } = this.conversation;
    // On a track it still sounds; its end is told apart.
    if (connection.carriesMedia && status === 'completed' && this.playing?.itemId === id) return;
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
    this.conversation.protocol.heard(itemId, samples);
    this.announceIfOver(itemId);
    this.conversation.changed();
  }

  /** Stops the agent by hand: it gives no more, nothing more is heard, and it learns what was. */
  interrupt() {
    if (this.active.size > 0) this.conversation.send({ type: 'response.cancel' });
    if (this.playing) this.conversation.send({ type: 'output_audio_buffer.clear' });
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
    if (this.playing?.itemId === itemId) this.playing = null;
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
