import { keepSettings } from './settings.js';

/** Sentences that wait for the line to be there. */
const MAX_WAITING = 5;

/** What the person does in a conversation. */
export class Commands {
  /** @param {import('./conversation.js').Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    /** Written before the line was there. @type {string[]} */
    this.waiting = [];
    conversation.input.microphone.deviceId = conversation.settings.microphoneId;
    this.useLoudspeaker();
  }

  /**
   * Says it in writing; begins a conversation where there is none.
   *
   * @param {string} text
   * @returns {boolean} false when too much waits already for the line to come back
   */
  write(text) {
    const { conversation } = this;
    if (conversation.phase !== 'live') {
      if (this.waiting.length >= MAX_WAITING) return false;
      this.waiting.push(text);
      if (!conversation.running) conversation.start({ microphone: false });
      return true;
    }
    conversation.replayer.stop();
    this.interrupt();
    conversation.protocol.writes(text);
    return true;
  }

  writeWaiting() {
    for (const text of this.waiting.splice(0)) this.write(text);
  }

  press() {
    const { conversation } = this;
    const { phase, input } = conversation;
    if (phase !== 'live' || input.holding || input.state === 'off') return;
    conversation.replayer.stop();
    this.interrupt();
    input.press();
    conversation.changed();
  }

  release() {
    const { input } = this.conversation;
    if (!input.holding) return;
    input.release();
    this.conversation.changed();
  }

  /** Stops the agent's turn by hand. */
  interrupt() {
    const { protocol, replies } = this.conversation;
    if (protocol.canStop && replies.stoppable) replies.interrupt();
  }

  /** Mutes and unmutes; opens the microphone where it is off. */
  async toggleMicrophone() {
    const { conversation } = this;
    const { input, view } = conversation;
    if (input.state !== 'off') input.setMuted(input.state === 'on');
    else {
      input.setMuted(false);
      await input.start().then(
        () => view.notices.resolve('microphone'),
        problem => conversation.problem(problem),
      );
    }
    conversation.changed();
  }

  /** @param {string} image data URI */
  showPicture(image) {
    const { phase, connection, protocol, statistics } = this.conversation;
    // On a track the server takes them itself, when it wants one.
    if (phase !== 'live' || connection.carriesMedia || !protocol.takesPictures) return;
    if (connection.sendIfIdle({ type: 'longcat.video.frame', image })) statistics.pictures += 1;
  }

  /** Plays a turn's sound again, or stops doing so. */
  replay(turnId) {
    const { replayer, recording } = this.conversation;
    if (replayer.playing === turnId) return replayer.stop();
    this.interrupt();
    const sound = recording.soundOf(turnId);
    if (sound) replayer.play(turnId, sound);
  }

  /** @param {Partial<import('./settings.js').Settings>} changes */
  async set(changes) {
    const { conversation } = this;
    const { settings, input } = conversation;
    Object.assign(settings, changes);
    keepSettings(settings);
    if ('mode' in changes || 'turnPreset' in changes) {
      input.holding = false;
      input.update();
    }
    conversation.protocol.set(changes);
    if ('loudspeakerId' in changes) this.useLoudspeaker();
    if ('microphoneId' in changes)
      await input.choose(settings.microphoneId).catch(problem => conversation.problem(problem));
    conversation.changed();
  }

  useLoudspeaker() {
    const { settings, replayer, replies } = this.conversation;
    replayer.deviceId = settings.loudspeakerId;
    replies.player.choose(settings.loudspeakerId);
    replies.track.choose(settings.loudspeakerId);
  }
}
