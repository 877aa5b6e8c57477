/** Of silence on the line, after which what sounds next is another turn. */
const TURN_GAP_MS = 700;
/** Shorter where the person spoke on into it for as long: they had the floor, and a "mhm" is over sooner. */
const FLOOR_MS = 300;
/** Between words of the person, after which the next ones are another turn; shorter where the agent spoke meanwhile. */
const USER_GAP_MS = 1500;
const LATE_WORDS_MS = 300;
/** Without another word for so long, the person is not shown as speaking any more. */
const SPEAKING_MS = 1500;
/** A line that fell silent so soon before the person's voice may have been stopped by it, */
const SLACK_MS = 150;
/** and so long after their last word: one "stop" is over before it is obeyed. */
const OBEYED_MS = 1500;
/** A voice ends so soon after its last word; what sounded longer had begun another sentence. */
const TAIL_MS = 300;
const SENTENCE_END = /[.!?…。！？]["'”’)\]]*\s*$/u;

/**
 * Turns out of a protocol that tells of none (docs/spec/gpt-live.md §5): the agent's by the sound on the line, as
 * LiveKit's client finds them, the person's by the gaps between their words. An agent that falls silent within its
 * sentence, while the person speaks, was interrupted.
 *
 * @typedef {object} LiveTurnsListener
 * @property {(id: string) => void} agentBegan
 * @property {(id: string, delta: string) => void} agentSaid
 * @property {(id: string) => void} agentEnded
 * @property {(id: string) => void} agentInterrupted after it has ended
 * @property {(id: string, fromMs: number) => void} userBegan by the timeline of the session
 * @property {(id: string, delta: string, fromMs: number, toMs: number) => void} userSaid the whole turn's times
 * @property {(id: string) => void} userEnded
 * @property {(state: string) => void} state as in status.js
 *
 * @typedef {object} AgentSpan
 * @property {string} id
 * @property {string} text empty: what sounded may have been no speech, and is not told of
 * @property {number} toMs where on the timeline its last word ends, and
 * @property {number} wordlessMs what sounded after that
 * @property {number} quietMs of silence since it sounded
 * @property {boolean} over
 * @property {boolean} judged
 *
 * @typedef {{ id: string, fromMs: number, toMs: number, answered: boolean }} UserSpan
 */
export class LiveTurns {
  /** @param {LiveTurnsListener} told */
  constructor(told) {
    this.told = told;
    this.counted = 0;
    /** The newest of each side. @type {AgentSpan | null} */
    this.agent = null;
    /** @type {UserSpan | null} */
    this.user = null;
    this.state = 'idle';
    this.sinceWordMs = 0;
  }

  newSession() {
    this.agent = null;
    this.user = null;
    this.state = 'idle';
    this.sinceWordMs = 0;
  }

  /** The line brought so much sound. @param {number} ms @returns {string} the turn that it is of */
  sounds(ms) {
    this.sinceWordMs += ms;
    const agent = this.speaking();
    agent.quietMs = 0;
    agent.wordlessMs += ms;
    this.is('agentSpeaking');
    return agent.id;
  }

  /** The line brought so much silence. @param {number} ms */
  quiet(ms) {
    this.sinceWordMs += ms;
    if (this.state !== 'agentSpeaking' && this.sinceWordMs >= SPEAKING_MS) this.is('idle');
    const { agent } = this;
    if (!agent || agent.over) return;
    agent.quietMs += ms;
    if (agent.quietMs < TURN_GAP_MS) return;
    this.end(agent);
    if (this.state === 'agentSpeaking') this.is('idle');
  }

  /** @param {AgentSpan} agent */
  end(agent) {
    agent.over = true;
    if (agent.text !== '') this.told.agentEnded(agent.id);
    this.judge();
  }

  /** @param {{ delta: string, end_ms: number }} fragment */
  agentSaid({ delta, end_ms }) {
    const agent = this.speaking();
    if (agent.text === '') {
      this.userIsOver();
      this.told.agentBegan(agent.id);
    }
    agent.text += delta;
    agent.toMs = end_ms;
    agent.wordlessMs = 0;
    this.told.agentSaid(agent.id, delta);
  }

  /** @param {{ delta: string, start_ms: number, end_ms: number }} fragment */
  userSaid({ delta, start_ms, end_ms }) {
    this.sinceWordMs = 0;
    const before = this.user;
    const gapMs = before?.answered ? LATE_WORDS_MS : USER_GAP_MS;
    let user = before;
    if (!user || start_ms - user.toMs > gapMs) {
      this.userIsOver();
      user = { id: this.nextId('you'), fromMs: start_ms, toMs: end_ms, answered: false };
      this.user = user;
      this.told.userBegan(user.id, start_ms);
    }
    user.toMs = Math.max(user.toMs, end_ms);
    this.told.userSaid(user.id, delta, user.fromMs, user.toMs);
    if (!this.agent || this.agent.over) this.is('userSpeaking');
    this.judge();
  }

  /**
   * The turn that sounds, or a new one.
   *
   * @returns {AgentSpan}
   */
  speaking() {
    const { agent, user } = this;
    if (agent && !agent.over) {
      const spokeOnMs = user ? user.toMs - endMs(agent) : 0;
      if (agent.text === '' || Math.min(agent.quietMs, spokeOnMs) < FLOOR_MS) return agent;
      this.end(agent);
    }
    const id = this.nextId('agent');
    this.agent = { id, text: '', toMs: 0, wordlessMs: 0, quietMs: 0, over: false, judged: false };
    return this.agent;
  }

  userIsOver() {
    if (!this.user || this.user.answered) return;
    this.user.answered = true;
    this.told.userEnded(this.user.id);
  }

  /**
   * Was it the person who ended the agent's turn? What breaks off within a sentence while the person speaks was not at
   * its end. Its words are told when they have sounded, so a sentence that was cut may be sound only.
   */
  judge() {
    const { agent, user } = this;
    if (!agent?.over || !agent.text || agent.judged || !user) return;
    if (SENTENCE_END.test(agent.text) && agent.wordlessMs <= TAIL_MS) return;
    const agentMs = endMs(agent);
    if (user.fromMs > agentMs + SLACK_MS || user.toMs < agentMs - OBEYED_MS) return;
    agent.judged = true;
    this.told.agentInterrupted(agent.id);
    this.is('interrupted');
  }

  /** @param {string} state */
  is(state) {
    if (this.state === state) return;
    this.state = state;
    this.told.state(state);
  }

  nextId(side) {
    this.counted += 1;
    return `${side} ${this.counted}`;
  }
}

/** Where on the timeline its sound ends. @param {AgentSpan} agent */
function endMs(agent) {
  return agent.toMs + agent.wordlessMs;
}
