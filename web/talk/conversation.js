/**
 * One conversation: turns wire events into what a person sees and hears, and what the person does into wire events, in
 * the protocol that was chosen (`realtime.js`, `live/`). Knows no document; `view` draws.
 */
import { Replayer } from '../media/replayer.js';
import { Connection } from '../wire/connection.js';
import { openLine } from '../wire/line.js';
import { Commands } from './commands.js';
import { EventLog } from './event-log.js';
import { Live } from './live/live.js';
import { Problem } from './problem.js';
import { Realtime } from './realtime.js';
import { Recording } from './recording.js';
import { Replies } from './replies.js';
import { loadSettings } from './settings.js';
import { Statistics } from './statistics.js';
import { Turns } from './turns.js';
import { UserInput } from './user-input.js';

export class Conversation {
  /** @param {import('../view/view.js').View} view */
  constructor(view) {
    this.view = view;
    const openedMs = performance.now();
    this.nowMs = () => performance.now() - openedMs;
    this.settings = loadSettings();
    /** @type {import('./status.js').Phase} */
    this.phase = 'ready';
    this.agent = 'idle';
    this.lost = false;
    /** @type {import('../wire/connection.js').Retry | null} */
    this.retry = null;
    this.statistics = new Statistics();
    this.recording = new Recording(id => this.turns.forgetSound(id));
    this.turns = new Turns(
      turn => view.captions.show(turn),
      turn => view.captions.forget(turn),
    );
    this.log = new EventLog(entry => view.eventChanged(entry));
    /** The tracks of what is shown. @type {Record<'camera' | 'screen', MediaStreamTrack | null>} */
    this.shown = { camera: null, screen: null };
    const media = {
      microphone: () => this.input.microphone.track,
      shown: name => this.shown[name],
      onSound: stream => this.replies.track.start(stream),
    };
    this.connection = new Connection(
      {
        onOpen: () => this.configure(),
        onResumed: () => this.isLive(),
        onEvent: (event, bytes) => this.received(event, bytes),
        onSent: (event, bytes) => this.sent(event, bytes),
        onRetry: retry => this.lostLine(retry),
        onGiveUp: problem => this.fail(problem),
      },
      (key, listener, resumption) =>
        openLine(this.settings.line, this.protocol.door, key, listener, media, resumption),
    );
    this.replayer = new Replayer(turnId => this.replays(turnId));
    this.input = new UserInput(this);
    this.replies = new Replies(this);
    this.commands = new Commands(this);
    this.protocol = this.chosenProtocol();
    this.changed();
  }

  /** Counts from the start on. @returns {import('./realtime.js').Protocol} */
  chosenProtocol() {
    return this.settings.protocol === 'live' ? new Live(this) : new Realtime(this);
  }

  get running() {
    return this.phase !== 'ready' && this.phase !== 'ended';
  }

  get replaying() {
    return this.replayer.playing !== null;
  }

  /** Must follow a click. @param {{ microphone?: boolean }} options without a microphone it is held in writing */
  async start({ microphone = true } = {}) {
    if (this.running) return;
    this.lost = false;
    this.protocol = this.chosenProtocol();
    this.view.notices.clear();
    this.replayer.stop();
    this.statistics.began(this.nowMs());
    this.enter('connecting');
    try {
      await this.replies.player.start();
      if (microphone && this.running) await this.input.start();
    } catch (error) {
      await this.fail(
        error instanceof Problem ? error : new Problem('Sound does not work here.', String(error)),
      );
      return;
    }
    if (this.phase !== 'connecting') return;
    this.changed();
    this.connection.open();
  }

  async stop() {
    this.protocol.ends();
    this.connection.close();
    this.commands.waiting = [];
    this.retry = null;
    this.replies.newSession();
    this.statistics.ended(this.nowMs());
    this.enter('ended');
    await Promise.all([this.input.stop(), this.replies.player.stop(), this.replies.track.stop()]);
    this.input.muted = false; // Who presses Start wants to be heard.
    this.changed();
  }

  async fail(problem) {
    this.lost = true;
    await this.stop();
    this.problem(problem);
  }

  problem(problem) {
    this.view.problem(problem, {
      useKey: key => {
        this.connection.setKey(key);
        this.start();
      },
      type: () => this.start({ microphone: false }),
    });
  }

  lostLine(retry) {
    if (this.phase !== 'reconnecting') {
      this.statistics.losses += 1;
      // What came plays on, and what is said meanwhile is kept, for a session that is gone on with.
      if (!this.connection.resumption.isPossible) {
        this.replies.newSession();
        this.input.newSession();
      }
    }
    this.retry = retry;
    this.enter('reconnecting');
  }

  configure() {
    this.statistics.line = this.connection.transport?.kind ?? '';
    this.input.newSession();
    this.replies.newSession();
    this.recording.newSession();
    this.agent = 'idle';
    this.turns.newSession(this.nowMs());
    this.view.captions.newSession();
    this.protocol.opened();
  }

  isLive() {
    if (this.phase === 'live') return;
    this.retry = null;
    this.enter('live');
    this.commands.writeWaiting();
  }

  send(event) {
    return this.connection.send(event);
  }

  received(event, bytes) {
    this.statistics.receivedBytes += bytes;
    this.log.add('received', event, bytes, this.nowMs());
    this.protocol.handlers[event?.type]?.(event);
  }

  sent(event, bytes) {
    this.statistics.sentBytes += bytes;
    this.log.add('sent', event, bytes, this.nowMs());
  }

  agentIs(state) {
    this.agent = state;
    this.changed();
  }

  replays(turnId) {
    this.input.update();
    this.view.captions.replays(turnId);
    this.changed();
  }

  /** @param {import('./status.js').Phase} phase */
  enter(phase) {
    this.phase = phase;
    this.changed();
  }

  /** @param {'camera' | 'screen'} name @param {MediaStreamTrack | null} track null: it is off */
  show(name, track) {
    this.shown[name] = track;
    this.connection.transport?.show(name, track);
  }

  /** @returns {import('./status.js').Status} */
  status() {
    const { phase, settings, input, replies, replaying, lost, retry } = this;
    // The server learns a moment later than this page that everything was heard.
    const silent = replies.active.size > 0 ? 'answering' : 'idle';
    const agent = this.agent === 'agentSpeaking' && !replies.sounding ? silent : this.agent;
    return {
      phase,
      agent,
      sounding: phase === 'live' && this.protocol.canStop && replies.stoppable,
      canStop: this.protocol.canStop,
      mode: settings.mode,
      microphone: input.state,
      asking: input.opening,
      holding: input.holding,
      replaying,
      lost,
      resumes: this.connection.resumption.isPossible,
      retry,
    };
  }

  changed() {
    this.view.show(this.status());
  }
}
