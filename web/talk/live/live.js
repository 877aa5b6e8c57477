import { decodePcm16, encodePcm16, SAMPLE_RATE_HZ } from '../../media/pcm16.js';
import { liveDoor } from '../../wire/doors.js';
import { Problem } from '../problem.js';
import { LiveTurns } from './live-turns.js';
import { tellTurns } from './tell-turns.js';

/** Any name is taken; the server says which model answers. */
const MODEL = 'gpt-live-1';
/** Below this a track is silent: what LiveKit's client takes for speech (docs/spec/gpt-live.md §10). */
const AUDIBLE = 0.0018;

/**
 * GPT-Live: the server owns the turns and the play-out; this client sends sound and reads what happens
 * (docs/spec/gpt-live.md).
 *
 * @typedef {import('../realtime.js').Protocol} Protocol
 * @implements {Protocol}
 */
export class Live {
  /** The protocol has no event for it. */
  canStop = false;
  takesPictures = false;
  ownsTurns = true;

  /** @param {import('../conversation.js').Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    this.door = liveDoor(() => this.session());
    this.turns = new LiveTurns(tellTurns(conversation, this));
    /** By the page's clock, when the timeline of the session began; null: it has not. @type {number | null} */
    this.zeroMs = null;
    /** What was written, until the server says that it has it. @type {Map<string, string>} */
    this.written = new Map();
    this.writtenCount = 0;
    this.handlers = this.events();
  }

  send(event) {
    this.conversation.send(event);
  }

  session() {
    const { instructions } = this.conversation.settings;
    return { model: MODEL, ...(instructions ? { instructions } : {}) };
  }

  opened() {
    this.zeroMs = null;
    this.written.clear();
    this.turns.newSession();
    if (!this.conversation.connection.carriesMedia)
      this.send({ type: 'session.start', session: this.session() });
  }

  ends() {
    this.send({ type: 'session.close' });
  }

  hear(pcm) {
    if (this.zeroMs !== null) this.send({ type: 'session.input_audio.append', audio: encodePcm16(pcm) });
  }

  sounds(pcm, level) {
    const ms = (pcm.length * 1000) / SAMPLE_RATE_HZ;
    if (level < AUDIBLE) this.turns.quiet(ms);
    else this.conversation.replies.playsItem(this.turns.sounds(ms));
  }

  mutes(muted) {
    this.send({ type: muted ? 'session.input_audio.mute' : 'session.input_audio.unmute' });
  }

  presses() {}

  releases() {}

  /** There is no turn in writing: it joins the context, and the agent takes it up when nobody has the floor. */
  writes(text) {
    this.writtenCount += 1;
    const event_id = `written ${this.writtenCount}`;
    this.written.set(event_id, text);
    this.send({ type: 'session.commentary.append', event_id, content: text, delegation_id: null });
  }

  /** The protocol asks for no account of it. */
  heard() {}

  /**
   * What a session was started with stays; instructions can be added. @param
   * {Partial<import('../settings.js').Settings>} changes
   */
  set({ instructions }) {
    if (instructions && this.zeroMs !== null)
      this.send({ type: 'session.instructions.append', content: instructions, delegation_id: null });
  }

  /** @returns {Record<string, (event: any) => void>} */
  events() {
    const { conversation, turns } = this;
    return {
      'session.started': ({ session }) => {
        this.zeroMs = conversation.nowMs() - (conversation.connection.transport?.sinceAnswerMs() ?? 0);
        conversation.view.model(session?.model);
        conversation.isLive();
        if (conversation.input.state === 'muted') this.mutes(true);
      },
      'session.output_audio.delta': ({ delta }) => this.play(delta),
      'session.output_transcript.delta': event => turns.agentSaid(event),
      'session.input_transcript.delta': event => turns.userSaid(event),
      'session.commentary.appended': ({ client_event_id }) => {
        const text = this.written.get(client_event_id);
        if (text === undefined) return;
        this.written.delete(client_event_id);
        conversation.statistics.questions += 1;
        conversation.turns.userWrote(`you ${client_event_id}`, conversation.nowMs(), text);
      },
      'session.delegation.created': ({ delegation }) => {
        const call = { type: 'function_call', id: delegation?.id, name: 'delegation' };
        conversation.turns.agentCalled(call, conversation.nowMs());
      },
      error: ({ error }) => this.refused(error),
    };
  }

  refused(error) {
    const { conversation } = this;
    conversation.statistics.errors += 1;
    const problem = new Problem(error?.message ?? 'The server refused an event.', '');
    // What it asked for will be refused again; a server that is full may have a place later.
    if (this.zeroMs === null && error?.type !== 'server_error') void conversation.fail(problem);
    else conversation.problem(problem);
  }

  play(base64) {
    const { replies } = this.conversation;
    const samples = decodePcm16(base64);
    const ms = (samples.length * 1000) / SAMPLE_RATE_HZ;
    if (samples.some(sample => sample !== 0)) return replies.sound(this.turns.sounds(ms), samples);
    const { agent } = this.turns;
    // Where the line is silent nothing is missing.
    if (agent && !agent.over && agent.quietMs === 0) replies.player.finish(agent.id);
    this.turns.quiet(ms);
  }
}
