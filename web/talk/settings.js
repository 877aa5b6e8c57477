/**
 * What the person chose, kept in this browser.
 *
 * @typedef {'open' | 'hold'} Mode
 * @typedef {'server' | 'fast' | 'balanced' | 'patient'} TurnPreset
 * @typedef {'auto' | 'webrtc' | 'websocket'} Line `auto`: WebRTC where it is to be had
 * @typedef {object} Settings
 * @property {Mode} mode
 * @property {TurnPreset} turnPreset when the agent takes the turn; `server`: as it was started
 * @property {string} instructions
 * @property {string} microphoneId empty: the system's own choice
 * @property {string} loudspeakerId
 * @property {Line} line what carries the conversation
 * @property {'realtime' | 'live'} protocol OpenAI Realtime, or GPT-Live
 */
const NAME = 'longcat-settings';
const MAX_INSTRUCTIONS = 4000;

/** @type {Settings} */
const DEFAULT_SETTINGS = {
  mode: 'open',
  turnPreset: 'server',
  instructions: '',
  microphoneId: '',
  loudspeakerId: '',
  line: 'auto',
  protocol: 'realtime',
};

/** What semantic turn detection calls these. */
const EAGERNESS = { fast: 'high', balanced: 'medium', patient: 'low' };

/** @param {string | null} kept @returns {Settings} */
export function readSettings(kept) {
  let found = {};
  try {
    found = JSON.parse(kept ?? '{}') ?? {};
  } catch {
    // Not ours, or of another version: begin anew.
  }
  const settings = { ...DEFAULT_SETTINGS };
  for (const name of Object.keys(settings)) if (typeof found[name] === 'string') settings[name] = found[name];
  if (settings.mode !== 'hold') settings.mode = 'open';
  if (settings.line !== 'webrtc' && settings.line !== 'websocket') settings.line = 'auto';
  if (settings.protocol !== 'live') settings.protocol = 'realtime';
  if (!Object.hasOwn(EAGERNESS, settings.turnPreset)) settings.turnPreset = 'server';
  settings.instructions = settings.instructions.slice(0, MAX_INSTRUCTIONS);
  return settings;
}

export function loadSettings() {
  return readSettings(localStorage.getItem(NAME));
}

/** @param {Settings} settings */
export function keepSettings(settings) {
  localStorage.setItem(NAME, JSON.stringify(settings));
}

/** @param {Settings} settings @returns {object | null} as in a session's `audio.input.turn_detection` */
export function turnDetection({ mode, turnPreset }) {
  if (mode === 'hold') return null;
  if (turnPreset === 'server') return { type: 'server_vad' };
  return { type: 'semantic_vad', eagerness: EAGERNESS[turnPreset] };
}

/** The session as this page wants it. @param {Settings} settings */
export function sessionOf(settings) {
  const { instructions } = settings;
  return {
    type: 'realtime',
    ...(instructions ? { instructions } : {}),
    longcat: { extensions: true },
    audio: { input: { transcription: { model: 'longcat' }, turn_detection: turnDetection(settings) } },
  };
}
