import { CaptionList } from './caption-list.js';
import { Notices } from './notices.js';

/** The agent's states (ARCHITECTURE.md §4) in a person's words. */
const STATES = {
  idle: ['Listening', 'Say something. You can speak at any time.'],
  userSpeaking: ['Hearing you', 'It listens as you speak.'],
  maybeDone: ['A pause', 'Waiting to see if you go on.'],
  speculating: ['Thinking', 'An answer is being prepared meanwhile.'],
  /** Ours: the floor is the agent's and nothing of its turn has arrived yet. */
  answering: ['Thinking', 'The answer is on its way.'],
  agentSpeaking: ['Speaking', 'Speak to interrupt.'],
  ducked: ['Was that you?', 'It lowered its voice to hear.'],
  interrupted: ['Interrupted', 'You have the floor.'],
};
const HOLD_TO_TALK = ['Your turn', 'Hold the button, or the space bar, and talk.'];

const PHASES = {
  ready: ['Ready when you are', 'Talk with the model, and interrupt it whenever you like.'],
  connecting: ['Connecting', 'Allow the microphone if the browser asks.'],
  reconnecting: ['Connection lost', 'Trying to reach the server. A new conversation will begin.'],
};

/** @typedef {keyof typeof PHASES | 'live'} Phase */

/** Everything the page shows; phases are the page's own, states the agent's. */
export class View {
  constructor() {
    this.captions = new CaptionList(element('conversation'));
    this.notices = new Notices(element('notices'));
  }

  /** @param {Phase} phase */
  phase(phase) {
    const { dataset } = document.body;
    const live = phase === 'live';
    if (phase === 'connecting') this.notices.clear();
    if (live && dataset.phase === 'live') return;
    dataset.phase = phase;
    element('start').disabled = phase === 'connecting';
    element('end').disabled = phase === 'ready';
    for (const id of ['mute', 'camera', 'talk']) element(id).disabled = !live;
    if (live) return this.state('idle');
    dataset.state = 'offline';
    describe(...PHASES[phase]);
    this.userLevel(0);
    this.agentLevel(0);
  }

  state(state) {
    if (document.body.dataset.phase !== 'live') return;
    document.body.dataset.state = state;
    const holdToTalk = state === 'idle' && document.body.dataset.mode === 'hold';
    describe(...(holdToTalk ? HOLD_TO_TALK : (STATES[state] ?? [state, ''])));
  }

  model(name) {
    element('model').textContent = name ?? '';
  }

  /** @param {number} level RMS of the microphone in [0, 1] */
  userLevel(level) {
    showLevel('--user-level', level * 5);
  }

  /** @param {number} level peak of the loudspeaker in [0, 1] */
  agentLevel(level) {
    showLevel('--agent-level', level);
  }
}

/** @param {string} id @returns {any} */
export function element(id) {
  return document.getElementById(id);
}

function describe(title, hint) {
  element('state').textContent = title;
  element('hint').textContent = hint;
}

function showLevel(property, level) {
  document.body.style.setProperty(property, Math.min(1, level).toFixed(3));
}
