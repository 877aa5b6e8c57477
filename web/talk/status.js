/**
 * What the page is doing, in a person's words.
 *
 * @typedef {'ready' | 'connecting' | 'live' | 'reconnecting' | 'ended'} Phase
 *
 * @typedef {object} Status
 * @property {Phase} phase
 * @property {string} agent the agent's state (ARCHITECTURE.md §4), or `answering`: it has the floor and nothing has
 * arrived yet
 * @property {boolean} sounding the agent can be stopped by hand
 * @property {boolean} canStop the protocol knows how
 * @property {import('./settings.js').Mode} mode
 * @property {'off' | 'muted' | 'on'} microphone
 * @property {boolean} asking the browser may be asking for the microphone
 * @property {boolean} holding the talk button is held
 * @property {boolean} replaying
 * @property {boolean} lost it ended because something went wrong
 * @property {boolean} resumes the conversation goes on where the line comes back in time
 * @property {import('../wire/connection.js').Retry | null} retry
 */

/** @type {Record<string, [title: string, hint: string]>} */
const AGENT = {
  idle: ['Listening', 'Say something. You can speak at any time.'],
  userSpeaking: ['Hearing you', 'It listens as you speak.'],
  maybeDone: ['A pause', 'Waiting to see if you go on.'],
  speculating: ['Thinking', 'An answer is being prepared meanwhile.'],
  answering: ['Thinking', 'The answer is on its way.'],
  agentSpeaking: ['Speaking', 'Speak to interrupt.'],
  working: ['Working', 'It waits for a tool; speak to go on.'],
  ducked: ['Was that you?', 'It lowered its voice to hear.'],
  interrupted: ['Interrupted', 'You have the floor.'],
};
/** States in which the agent waits for the person to say something. */
const WAITS = new Set(['idle', 'userSpeaking', 'maybeDone', 'interrupted']);

/** @param {Status} status @returns {{ title: string, hint: string, look: string }} `look` is what the orb shows */
export function describe(status) {
  const [title, hint] = words(status);
  return { title, hint, look: lookOf(status) };
}

/** @returns {[string, string]} */
function words(status) {
  const { phase, agent, canStop, microphone, mode, asking, holding, replaying, lost, resumes } = status;
  if (phase === 'ready')
    return ['Ready when you are', 'Talk with the model, and interrupt it whenever you like.'];
  if (phase === 'connecting')
    return ['Connecting', asking ? 'Allow the microphone if the browser asks.' : 'Reaching the server.'];
  if (phase === 'reconnecting')
    return [
      'Connection lost',
      resumes ? 'Go on talking: it will be heard.' : 'A new conversation will begin.',
    ];
  if (phase === 'ended' && lost) return ['Not connected', 'Press Start to try again.'];
  if (phase === 'ended') return ['Conversation ended', 'Start begins a new one. What was said stays here.'];
  if (replaying) return ['Replaying', 'Your microphone is not heard meanwhile.'];
  if (holding) return ['Hearing you', 'Let go when you have finished.'];
  if (agent === 'agentSpeaking' && (microphone !== 'on' || mode === 'hold'))
    return ['Speaking', canStop ? 'Press Stop, or Escape, to interrupt.' : 'Only your voice interrupts it.'];
  if (WAITS.has(agent)) {
    if (microphone === 'off') return ['Microphone off', 'Write something, or turn the microphone on.'];
    if (mode === 'hold') return ['Your turn', 'Hold the button, or the space bar, and talk.'];
    if (microphone === 'muted') return ['Muted', 'It cannot hear you. Unmute to talk, or write.'];
  }
  return AGENT[agent] ?? [agent, ''];
}

function lookOf({ phase, agent, microphone, mode, holding, replaying }) {
  if (phase !== 'live') return 'offline';
  if (replaying) return 'replaying';
  if (holding) return 'userSpeaking';
  if (WAITS.has(agent) && mode === 'hold') return agent === 'interrupted' ? agent : 'idle';
  if (WAITS.has(agent) && microphone !== 'on') return 'muted';
  return agent;
}

/** How long until the next try. @param {import('../wire/connection.js').Retry} retry @param {number} leftMs */
export function countdown({ attempt, attempts }, leftMs) {
  const tries = `try ${attempt} of ${attempts}`;
  return leftMs > 0 ? `Trying again in ${Math.ceil(leftMs / 1000)} s (${tries})` : `Trying now (${tries})`;
}
