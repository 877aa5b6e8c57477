import { Microphone } from '../media/microphone.js';
import { SAMPLE_RATE_HZ } from '../media/pcm16.js';
import { Problem } from './problem.js';

/** A live microphone is never quite silent; one that has been for so long is muted, or not the one spoken into. */
const DEAF_MS = 5000;
/** Less than a syllable is a slip of the finger. */
const SLIP_MS = 100;

/**
 * The person's voice on its way to the server: always (open), or while the button is held (hold), never where it is
 * muted or a kept sound is played.
 */
export class UserInput {
  /** @param {import('./conversation.js').Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    this.muted = false;
    this.holding = false;
    /** The browser may be asking for it. */
    this.opening = false;
    /** Samples sent since the session opened: the clock of the speech events. */
    this.sentSamples = 0;
    this.heldFrom = 0;
    /** Of nothing but zeros since the microphone was opened; null once it was heard. @type {number | null} */
    this.deafMs = 0;
    this.microphone = new Microphone({
      onFrame: (pcm, level) => this.frame(pcm, level),
      onLost: () => this.lost(),
    });
  }

  /** @throws {Problem} */
  async start() {
    this.deafMs = 0;
    this.opening = true;
    this.update();
    this.conversation.changed();
    try {
      await this.microphone.start();
      this.conversation.connection.transport?.useMicrophone(this.microphone.track);
    } finally {
      this.opening = false;
    }
  }

  /** @param {string} deviceId @throws {Problem} */
  async choose(deviceId) {
    await this.microphone.choose(deviceId);
    this.conversation.connection.transport?.useMicrophone(this.microphone.track);
  }

  async stop() {
    this.holding = false;
    await this.microphone.stop();
  }

  newSession() {
    this.sentSamples = 0;
    this.holding = false;
  }

  get state() {
    if (!this.microphone.running) return /** @type {const} */ ('off');
    return this.muted ? /** @type {const} */ ('muted') : /** @type {const} */ ('on');
  }

  setMuted(muted) {
    if (muted !== this.muted) this.conversation.protocol.mutes(muted);
    this.muted = muted;
    this.update();
  }

  /** Whoever holds the button wants to be heard, muted or not; whoever does not is not heard. */
  get audible() {
    const { settings, replaying } = this.conversation;
    if (replaying) return false;
    return settings.mode === 'hold' ? this.holding : !this.muted;
  }

  /** The device follows: silence is wanted, or sound. */
  update() {
    this.microphone.setEnabled(this.audible);
    if (!this.audible && this.deafMs !== null) this.deafMs = 0;
  }

  press() {
    this.holding = true;
    this.heldFrom = this.sentSamples;
    this.update();
    this.conversation.protocol.presses();
  }

  /** @returns {boolean} whether anything was said */
  release() {
    this.holding = false;
    this.update();
    if (this.heldToMs - this.heldFromMs < SLIP_MS) return false;
    this.conversation.protocol.releases();
    return true;
  }

  get heldFromMs() {
    return (this.heldFrom * 1000) / SAMPLE_RATE_HZ;
  }

  get heldToMs() {
    return (this.sentSamples * 1000) / SAMPLE_RATE_HZ;
  }

  /** @param {Int16Array} pcm @param {number} level */
  frame(pcm, level) {
    const { settings, view, statistics, recording, connection, protocol, nowMs } = this.conversation;
    const lengthMs = (pcm.length * 1000) / SAMPLE_RATE_HZ;
    const { audible } = this;
    // What was recorded before the device fell silent may still be on its way.
    if (!audible) pcm.fill(0);
    view.userLevel(audible ? level : 0);
    if (audible) this.watchForDeafness(level, lengthMs);
    // On a track everything travels, and the server counts it all.
    const { carriesMedia } = connection;
    const pauses = !carriesMedia && !protocol.ownsTurns && settings.mode === 'hold' && !this.holding;
    if (!connection.takes || pauses) return;
    this.sentSamples += pcm.length;
    statistics.sentAudioMs += lengthMs;
    recording.sent(pcm, nowMs());
    view.captions.userSound(audible ? level : 0, lengthMs);
    if (!carriesMedia) protocol.hear(pcm);
  }

  watchForDeafness(level, lengthMs) {
    if (this.deafMs === null) return;
    if (level > 0) {
      this.deafMs = null;
      this.conversation.view.notices.resolve('microphone');
      return;
    }
    const before = this.deafMs;
    this.deafMs += lengthMs;
    if (before >= DEAF_MS || this.deafMs < DEAF_MS) return;
    const remedy =
      'It may be muted, or not the one you speak into: choose another in the settings here, or look at the system’s.';
    this.conversation.problem(new Problem('No sound comes from the microphone.', remedy, 'microphone'));
  }

  /** The conversation goes on in writing. */
  async lost() {
    await this.stop();
    const remedy = 'Plug it in again and turn the microphone on, or write.';
    this.conversation.problem(new Problem('The microphone is gone.', remedy, 'microphone'));
    this.conversation.changed();
  }
}
