/**
 * One conversation over the Realtime protocol: turns wire events into what a person sees and hears, and what the
 * person does into wire events. Knows no document; `view` draws.
 */
import { Connection } from './connection.js';
import { Microphone } from './microphone.js';
import { encodePcm16, SAMPLE_RATE_HZ } from './pcm16.js';
import { Player } from './player.js';
import { Problem } from './problem.js';

/** Errors of the protocol that answer a race the person need not know about. */
const HARMLESS = new Set(['response_cancel_not_active', 'conversation_already_has_active_response']);

/** A live microphone is never quite silent; one that has been for so long is muted, or not the one spoken into. */
const DEAF_MS = 5000;

/** @typedef {'open' | 'hold'} Mode */

export class Conversation {
  /** @param {import('./view.js').View} view */
  constructor(view) {
    this.view = view;
    /** @type {Mode} */
    this.mode = 'open';
    this.running = false;
    this.holding = false;
    /** The agent's; while the button is held the person's counts. */
    this.state = 'idle';
    /** Samples sent since the session opened: the clock of the speech events. */
    this.sentSamples = 0;
    this.heldFrom = 0;
    /** Of nothing but zeros since the microphone was opened; null once it was heard. @type {number | null} */
    this.deafMs = 0;
    /** Agent items that may still be playing, in samples. @type {Map<string, { received: number, heard: number }>} */
    this.playing = new Map();
    this.player = new Player({
      onHeard: (itemId, samples, over) => this.heard(itemId, samples, over),
      onLevel: level => view.agentLevel(level),
    });
    this.microphone = new Microphone({
      onFrame: (pcm, level) => this.hearUser(pcm, level),
      onLost: () => this.fail(new Problem('The microphone is gone.', 'Plug it in again, then press Start.')),
    });
    this.connection = new Connection({
      onOpen: () => this.configure(),
      onEvent: event => this.handlers[event.type]?.(event),
      onRetry: () => this.lostLine(),
      onGiveUp: problem => this.fail(problem),
    });
    this.handlers = this.createHandlers();
  }

  /** Must follow a click. */
  async start() {
    this.running = true;
    this.deafMs = 0;
    this.view.phase('connecting');
    try {
      await this.player.start();
      await this.microphone.start();
    } catch (error) {
      await this.fail(
        error instanceof Problem ? error : new Problem('Sound does not work here.', String(error)),
      );
      return;
    }
    if (this.running) this.connection.open();
  }

  async stop() {
    this.running = false;
    this.connection.close();
    this.view.phase('ready');
    await Promise.all([this.microphone.stop(), this.player.stop()]);
  }

  async fail(problem) {
    await this.stop();
    this.problem(problem);
  }

  problem(problem) {
    if (!problem.needsKey) return this.view.notices.show(problem);
    this.view.notices.askForKey(problem, key => {
      this.connection.setKey(key);
      this.start();
    });
  }

  lostLine() {
    this.player.clear();
    this.playing.clear();
    this.view.phase('reconnecting');
  }

  // ─── what the person does ──────────────────────────────────────────────────────────────────────────────────────

  /** @param {Mode} mode */
  setMode(mode) {
    this.mode = mode;
    this.holding = false;
    this.showState();
    if (this.connection.isOpen)
      this.sendSession({ audio: { input: { turn_detection: this.turnDetection() } } });
  }

  press() {
    if (!this.connection.isOpen || this.holding) return;
    this.interrupt();
    this.holding = true;
    this.heldFrom = this.sentSamples;
    this.connection.send({ type: 'input_audio_buffer.clear' });
    this.showState();
  }

  release() {
    if (!this.holding) return;
    this.holding = false;
    this.showState();
    const heldMs = ((this.sentSamples - this.heldFrom) * 1000) / SAMPLE_RATE_HZ;
    // Less than a syllable is a slip of the finger.
    if (heldMs < 100) return;
    this.connection.send({ type: 'input_audio_buffer.commit' });
    this.connection.send({ type: 'response.create' });
  }

  /** Stops the agent's turn by hand. */
  interrupt() {
    if (this.playing.size > 0 || this.state === 'agentSpeaking') {
      this.connection.send({ type: 'response.cancel' });
    }
    for (const [itemId, { heard }] of this.playing) {
      this.player.clear(itemId);
      const audioEndMs = Math.floor((heard * 1000) / SAMPLE_RATE_HZ);
      this.connection.send({
        type: 'conversation.item.truncate',
        item_id: itemId,
        content_index: 0,
        audio_end_ms: audioEndMs,
      });
    }
    this.playing.clear();
  }

  /** @param {string} image data URI */
  showPicture(image) {
    this.connection.sendIfIdle({ type: 'longcat.video.frame', image });
  }

  setMuted(muted) {
    this.microphone.setMuted(muted);
    this.deafMs = null; // Silence is wanted now.
  }

  hearUser(pcm, level) {
    this.view.userLevel(level);
    this.watchForDeafness(level, (pcm.length * 1000) / SAMPLE_RATE_HZ);
    if (!this.connection.isOpen || (this.mode === 'hold' && !this.holding)) return;
    this.sentSamples += pcm.length;
    this.view.captions.userSound(level, (pcm.length * 1000) / SAMPLE_RATE_HZ);
    this.connection.send({ type: 'input_audio_buffer.append', audio: encodePcm16(pcm) });
  }

  watchForDeafness(level, lengthMs) {
    if (this.deafMs === null) return;
    this.deafMs = level > 0 ? null : this.deafMs + lengthMs;
    if (this.deafMs === null || this.deafMs < DEAF_MS) return;
    this.deafMs = null;
    const remedy = 'It may be muted, or not the one you speak into: look at the system’s sound settings.';
    this.problem(new Problem('No sound comes from the microphone.', remedy));
  }

  heard(itemId, samples, over) {
    this.view.captions.agentHeard(itemId, samples);
    this.connection.send({ type: 'longcat.playback.report', item_id: itemId, samples });
    const item = this.playing.get(itemId);
    if (!item) return;
    item.heard = samples;
    if (over && item.received <= samples) this.playing.delete(itemId);
  }

  showState(state = this.state) {
    this.state = state;
    if (this.holding) this.view.state('userSpeaking');
    else if (state === 'agentSpeaking' && this.playing.size === 0) this.view.state('answering');
    else this.view.state(state);
  }

  // ─── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  configure() {
    this.sentSamples = 0;
    this.playing.clear();
    this.state = 'idle';
    this.view.captions.newSession();
    this.sendSession({
      longcat: { extensions: true },
      audio: { input: { transcription: { model: 'longcat' }, turn_detection: this.turnDetection() } },
    });
  }

  sendSession(session) {
    this.connection.send({ type: 'session.update', session: { type: 'realtime', ...session } });
  }

  turnDetection() {
    return this.mode === 'open' ? { type: 'server_vad' } : null;
  }

  /** @returns {Record<string, (event: any) => void>} */
  createHandlers() {
    const { view } = this;
    return {
      'session.created': ({ session }) => view.model(session.model),
      'session.updated': () => view.phase('live'),
      'input_audio_buffer.speech_started': event =>
        view.captions.userStarted(event.item_id, event.audio_start_ms),
      'input_audio_buffer.speech_stopped': event =>
        view.captions.userStopped(event.item_id, event.audio_end_ms),
      'input_audio_buffer.committed': event => this.committed(event),
      'conversation.item.input_audio_transcription.delta': event =>
        view.captions.userText(event.item_id, event.delta ?? ''),
      'conversation.item.input_audio_transcription.completed': event =>
        view.captions.userText(event.item_id, event.transcript, true),
      'response.output_item.added': ({ item }) => view.captions.agentStarted(item.id),
      'response.output_audio_transcript.delta': event => this.agentText(event),
      'response.output_text.delta': event => this.agentText(event),
      'response.output_audio.delta': event => this.agentSound(event),
      'response.output_audio.done': event => this.player.finish(event.item_id),
      'response.done': ({ response }) => this.replyDone(response),
      'conversation.item.truncated': event => this.truncated(event),
      'conversation.item.retrieved': ({ item }) => view.captions.agentCut(item.id, textOf(item)),
      'longcat.state': event => this.showState(event.state),
      'longcat.duck': event => this.player.setGainDb(event.gain_db),
      'longcat.playout.clear': event => this.silence(event.item_id),
      'longcat.turn.trace': event => view.captions.trace(toTurnTrace(event.trace)),
      error: event => this.serverError(event.error),
    };
  }

  /** Push to talk has no speech events: the turn is what was sent while the button was held. */
  committed({ item_id }) {
    if (this.mode !== 'hold') return;
    this.view.captions.userStarted(item_id, (this.heldFrom * 1000) / SAMPLE_RATE_HZ);
    this.view.captions.userStopped(item_id, (this.sentSamples * 1000) / SAMPLE_RATE_HZ);
  }

  agentText({ item_id, delta }) {
    this.view.captions.agentText(item_id, delta, this.playing.get(item_id)?.received ?? 0);
  }

  agentSound({ item_id, delta }) {
    const item = this.playing.get(item_id) ?? { received: 0, heard: 0 };
    this.playing.set(item_id, item);
    item.received += this.player.add(item_id, delta);
    this.showState();
  }

  /** @param {string | null} itemId null = everything */
  silence(itemId) {
    this.player.clear(itemId);
    if (itemId === null) this.playing.clear();
    else this.playing.delete(itemId);
  }

  replyDone({ status, status_details }) {
    if (status !== 'failed') return;
    const message = status_details?.error?.message ?? 'The model failed to answer.';
    this.problem(new Problem(message, 'Say it again; if it keeps failing, look at the server’s log.'));
  }

  /** The transcript was cut to what was heard; stock servers do not say to what, so it is asked for. */
  truncated({ item_id }) {
    this.playing.delete(item_id);
    this.view.captions.agentInterrupted(item_id);
    this.connection.send({ type: 'conversation.item.retrieve', item_id });
  }

  serverError({ code, message }) {
    if (!HARMLESS.has(code)) this.problem(new Problem(message, ''));
  }
}

function textOf(item) {
  return (item.content ?? []).map(part => part.transcript ?? part.text ?? '').join('');
}

/** The wire's snake_case to the TurnTrace of actors/session-api.ts, as waterfall.js wants it. */
function toTurnTrace(trace) {
  const { waterfall } = trace;
  return {
    turn: trace.turn,
    text: trace.text,
    waterfall: waterfall && { entries: waterfall.entries, totalMs: waterfall.total_ms },
    interrupted: trace.interrupted,
    heardMs: trace.heard_ms,
    speculations: trace.speculations,
    rollbacks: trace.rollbacks,
  };
}
